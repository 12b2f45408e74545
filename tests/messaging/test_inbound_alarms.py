"""What cannot wait until somebody gets to it: a case table of texts as people send them, and of look-alikes."""

from __future__ import annotations

import pytest

from messaging.enums import Concern
from messaging.inbound_alarms import alarm_in

NOT_ME = """
不是我消费的，卡被盗刷了
不是我
不是本人操作！！
这笔不是我花的，怎么回事
我没有消费过啊
我今天根本没去你们店消费
有人用了我的卡
谁刷了我的卡？
我的余额怎么少了
卡裡的錢被盜刷
我的积分莫名其妙没了
非本人消费
that wasn't me
It was not me!
Not me
I didn't make this purchase
i never authorised that payment
I did not buy anything today
I don't recognise this charge
someone used my card
Somebody else has been using my points
who spent my balance??
this is fraud
unauthorized transaction on my account
my card has been hacked
This isn’t my purchase
I haven't spent 88 at your store
I did not use my card today
do not recognise it
you charged my card without asking
"""
LOST = """
我的卡丢了
会员卡不见了怎么办
卡找不到了，帮我挂失
弄丢了会员卡
帮我冻结一下
I lost my membership card
my wallet was stolen, card too
please freeze my card
Can't find my card anywhere
block my account please
"""
NEITHER = """
几点开门
我没有收到验证码
余额多少
我不是会员
这不是我要的颜色
那天不是我接的电话
卡里还有多少钱
帮我约明天三点
积分怎么用
这个号码不是我的卡号
我没买到那双鞋，还有货吗
When do you open?
I haven't used my coupon yet, is it still valid?
Is my card still valid?
can I use my points on a haircut
Do you charge for parking?
I did not get my receipt
not mean to bother you
I have not used any of my coupons, do they expire?
I haven't used it yet
I haven't paid for that yet, can I pay by card?
I haven't used my card yet, when does it end?
The machine can't recognize my card
lost my receipt, can you send it again
My daughter will use my card on Sunday, ok?
I never got the code
who can use my card?
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("text", lines(NOT_ME))
def test_somebody_says_it_was_not_them(text: str):
    assert alarm_in(text) == Concern.DISPUTE


def test_letters_nobody_sees_hide_nothing():
    assert alarm_in("not\u200d m\u200be") == Concern.DISPUTE


@pytest.mark.parametrize("text", lines(LOST))
def test_a_card_is_gone(text: str):
    assert alarm_in(text) == Concern.LOST


@pytest.mark.parametrize("text", lines(NEITHER))
def test_a_question_like_any_other(text: str):
    assert alarm_in(text) is None
