"""What a hurried thumb writes, and the word that is read for it: data for messaging/linter.py."""

_PAIRS = """
    u=you ur=your yr=your urs=yours thx=thanks tnx=thanks tks=thanks ty=thanks pls=please plz=please
    tmr=tomorrow tmrw=tomorrow tmw=tomorrow tomoz=tomorrow 2moro=tomorrow 2day=today tonite=tonight
    2nite=tonight midnite=midnight b4=before nxt=next nw=now n=and wk=week wks=weeks wkend=weekend w/=with
    appt=appointment appts=appointments rsvn=reservation msg=message mins=minutes hrs=hours pts=points
    luv=love gr8=great acct=account bday=birthday b'day=birthday abt=about bk=book
    0ff=off fr=from prob=probably gonna=going wanna=want bc=because cuz=because
    thru=through nite=night nites=nights xtra=extra 4u=you y'all=you dept=department
    recd=received rcvd=received amt=amount bal=balance ref=reference qty=quantity
    delvd=delivered avail=available sched=schedule resched=rescheduled cxl=cancel
    cxld=cancelled pymt=payment
"""

SHORT_FORMS: dict[str, str] = dict(pair.split("=") for pair in _PAIRS.split())
