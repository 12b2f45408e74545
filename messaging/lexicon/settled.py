"""How a text tells that something is over and done, so that the words of an offer in it only name a thing.

"The sale jacket you ordered was handed to your neighbour", "您购买的特价猫粮因批次召回". Read clause by clause, and only
in a text that the second reader finds like a service text. A clause that also lures is never settled.
"""

# What was done with it. Not among them: what an offer is said to be as well (added, credited, unlocked, 到账, 生效).
SETTLED: tuple[str, ...] = (
    r"已(?:为您|由\w{1,4}|全部|全额|自动|统一|改|按|从\w{1,6})?(?:退|补(?:开|寄|发|打|扣|录|收)|抵扣|扣|召回|核销|作废|取消|撤|"
    r"注销|更正|改正|更换|缺货|停售|下架|售罄|盘点|结束|收回|移除|换|寄出|发出|发货|签收|到货|送达|取走|领取|"
    r"调|拆|延|登记|受理|转|收|剪|出库|入库|开具|暂停|停|激活|挂失|补办|删除|用完|清点|归还|登报|封存|报废|到期|结清|验收|上传|录制|发到|发您|签收|算|核)",
    r"(?:没|未)[^,。]{0,2}[上进成](?=$|[,。了])|[刷算扣扫打印发填录]了?(?:两次|重了?|错)|发完了?|拆成|故障|退您|退回|签到成功|回看|照片|"
    r"那[天单张节]|不含|另计|扫不出|按旧",
    r"(?:多|误|少|漏|错|重复)(?:付|扣|收|算|打|录|记|给|开|发|刷|计)|(?:未|没有?|漏)(?:打折|计入|抵扣|扣减|生效|使用|减)",
    r"(?:购买|订购|下单|所购|所订|买|兑换|预订|定制?|收到|退回|寄回|遗失|遗落|赠送给\w{2,4})(?:了)?的|(?:退款|退货|退回|退还|召回|盘点|对账|"
    r"更正|勘误|核销|核对|破损|质检|缺货|差价|停售|遗落|挂失|补发|换货|维修|检修|清点|改期|取消)(?!即|送|享|有)",
    r"(?:因|由于)[^,。]{0,20}(?:取消|改|停|延|提前|推迟|关|缺|顺延|打烊|闭店)|盘点|打烊|停业|照常|不变|过敏原|限停|禁停",
    r"\b(?:you|we|she|he|they) (?:have |had |'ve )?(?:already )?(?:ordered|bought|purchased|returned|paid|requested|booked|"
    r"chose|entered|typed|signed up|gave|sent|asked for|reported|left|lost|forgot|missed|overcharged|undercharged|counted|"
    r"refunded|removed|replaced|corrected|cancelled|found|received|collected|reversed)\b",
    r"\b(?:was|were|has been|have been|had been|is|are|been|got) (?:now |already |not |wrongly |left |accidentally |twice )*"
    r"(?:missed|refunded|reversed|corrected|cancelled|removed|voided|void|redeemed|returned|"
    r"replaced|recalled|charged|deducted|taken|handed|shipped|dispatched|sold out|out of stock|expired|put back|withdrawn|"
    r"moved|postponed|closed|locked|damaged|broken|found|lost|collected|counted|mislabel\w*|mispriced|mis\w+|delivered|"
    r"delayed|on its way|picked up|repaired|blocked|discontinued|swapped|exchanged|relocated|applied to (?:this|your) (?:bill|order|invoice|receipt))\b",
    r"\b(?:had|has|have|was|were) (?:\w+ )?(?:expired|ended|rejected|declined|refused|emptied|printed|used|held|missing|billed|parked|"
    r"scuffed|counted)\b|\b(?:wasn't|weren't|isn't|hasn't|not) (?:\w+ )?(?:applied|taken|used|counted|valid|deducted)\b|"
    r"\balready (?:taken|applied|used|deducted|redeemed)\b|\b(?:rejected|declined|refused|ended|came free with)\b|"
    r"\bno need to\b",
    r"\b(?:refund|return|exchange|recall|stock-?take|stocktak\w+|stock count|inventory|invoice|receipt|price tag|correction|"
    r"lost property|complaint|dispute|chargeback|allergen)\b",
    r"\b(?:cancelled|postponed|delayed|refunded|voided|used|deducted|closed)\b",
)

# The words that are read over there.
NAMED: tuple[str, ...] = (
    r"优惠(?:券|价|差价)?|特惠|折扣|打折|特价|促销|清仓|满减|立减|返现|补贴价?|会员[日价]|团购价?|拼团|秒杀|原价|现价|半价|换购|内购|"
    r"代金券|抵用券|现金券|折扣券|体验券|礼券|消费券|红包|礼包|礼盒|礼品|赠品|赠礼|伴手礼|"
    r"抽奖|大奖|奖品|盲盒|福利|活动|新品|新款|新店|新课|新菜|周年庆|店庆|年货|预售|开业|招生|公开课|体验课|试听|"
    r"送出|(?:送|赠)(?=一份|您)|免费|免单|惊喜|推荐|精彩|首单|一份|心意|讲座|沙龙|品鉴会|派对|开放日|下午茶|直播间?|购物车|"
    r"(?<!\d)\d(?:\.\d)?折|会员群|限量|限时|秋装|冬装|夏装|春装|热卖|爆款|尊享|专享",
    r"\b(?:discount(?:s|ed)?|promo(?: ?codes?|s|tions?|tional)?|sales?|clearance|deals?|offers?|special(?:s|ly)?|bargains?|markdown|"
    r"cashback|(?:lunch|member|launch|special|limited)[ -](?:offers?|prices?|deals?|menus?|edition)|gifts?|gift ?cards?|vouchers?|coupons?|"
    r"free|complimentary|giveaways?|raffle|prizes?|rewards?|perks?|birthday (?:gift|treat|cake)|welcome drink|open house|live music|pop-?up|free (?:trial|wash|class|lesson|session|sample|check|upgrade|item|product)|"
    r"launch|new (?:arrivals?|menus?|lines?|range|styles?|items?)|tasting|cart|basket|bag|come back|(?:be|is|are) back on|back on|vip|exclusive|surprise|signature|seasonal|"
    r"favou?rites?|party|event|festival|treat|opening|double points|bonus|limited|happy hour|early bird|trial)\b",
)

# What no settled clause says: that one may still have it, should hurry, or only has to come.
LURE: tuple[str, ...] = (
    r"即可|可享|可领|享(?!受理)|快来|欢迎|低至|领取您|待领|等您|等你|送您|送你|立即|马上|赶|抢|下次|再(?:来|送|减|享|打|买|充|购)|限今|"
    r"仅需|只需|续(?:报|费|卡|充)|加购|好友|顺便|不妨|诚邀|邀请|期待|(?:满|充|买|存)\s*\d|\d折起|别错过|快用|买.送|随时来",
    r"\b(?:next (?:visit|time|order|purchase|booking|stay|trip)|enjoy|hurry|only|today only|until|while|waiting|grab|claim|"
    r"don'?t miss|get (?:a|an|your|one|\d)|save|up to|extra|more|just|why not|come (?:in|by|and|see|taste|join)|try|join|check out|"
    r"how about|treat yourself|again soon|for you|on us|ask (?:us|about)|from [$€£¥]|off your|off any|new friends?|bring)\b"
    r"|\d ?% off|buy \d",
)
