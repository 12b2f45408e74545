"""What both the transfer and its limits refuse with."""

from members.refusals import Refused


class TransferRefused(Refused):
    """A transfer to oneself, of nothing, to nobody, or of more than a member passes on alone."""

    code = "transfer_invalid"
