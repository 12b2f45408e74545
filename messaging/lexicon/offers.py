"""Words that offer something: price, gift, hurry, novelty."""

from messaging.lexicon.rule import ALIYUN, DEFINITION, SPLIT, STRONG, TAKE_OUT, Rule

_REWARD = (
    r"(?:券|礼|红包|福利|优惠|奖|大奖|赠品|积分|好物|试用|样品|会员权益|权益|特权|金币|补贴|惊喜|名额|"
    r"资格)"
)

OFFERS: tuple[Rule, ...] = (
    Rule(
        "discount",
        STRONG,
        (
            r"优惠(?!券)|特惠|钜惠|巨惠|惠享|惠购|实惠|让利|福利|补贴价|促销|大促|特价|打折|折扣|折起|"
            r"折优惠|满减|立减|直降|返现|返利|返券|半价|超值|抄底|骨折|白菜价|秒杀|闪购|拼团|团购价|"
            r"亲友价|内购|甩卖|清仓|换购|买一送一|买\w送\w|加\w元",
            r"(?<!\d)\d(?:\.\d)?\s*折(?!叠|线)|[一二三四五六七八九]{1,2}折(?!叠)|\d{2}折(?!叠)",
            r"不要钱|不收钱|白送|低至|仅需|只需[¥\d]|仅售|原价|现价|特享价|限时价|会员价|超低价|惊爆价|一口价|仅\d+(?:\.\d+)?元|"
            r"(?:只要|只收|只需|只卖|才)\s*¥?\d+(?:\.\d+)?|\d+(?:\.\d+)?元(?:起|一(?:份|位|斤|只|桶|次|张|杯|件|套|盒))|"
            r"(?:业主|会员|老客|邻居|尝鲜|体验|团购)价|(?:^|[,。!;])(?:另|还|再|并|即|就|可|均)?(?:送|赠)\s*¥?\d+|起价|免单|(?<![\d.,])[0零]元(?:购|享|领|起|体验|抢|试|秒|入|洗|学|带|吃)|"
            r"零首付|首付\d|低息|免息(?!期)|贴息|秒到账|最高可[贷借享领获]|额度高达|待领取额度|"
            r"收益率?高达|年化收益|预期收益|稳赚|高回报|保本",
            r"满\s*\d+\s*(?:元|块)?\s*(?:减|送|赠|返|立)|(?:充值?|存|储值?|买|消费)满?\s*\d+\s*(?:元|"
            r"块)?\s*[,就即可]*\s*(?:送|赠|返|得|抵|当)",
            r"(?:现在|即可?|可|就|再|另|立即|还|均)[^,。!;]{0,8}(?:赠送|获赠|送\d|送您|加赠|免费送|附赠)",
            r"(?:双倍|两倍|\d倍|多倍|翻倍)(?:积分|返|奖励|会员)|积分(?:翻倍|双倍|加倍|当钱花|抵现活动|"
            r"换好礼)|享受?[^,。]{0,6}折",
            r"减免\d+%|立省|省\d+|劲省|节省\d+|全搞定|只差\d|一半(?:余额|价|的价)|可领(?!取)|早鸟|首次价|"
            r"不收费|第二[条杯件份套双]|加赠|回馈|答谢|无门槛|首单|包邮|业绩基准|拎包入住|直租|报暗号|"
            r"(?:出示|凭)(?:本|此)(?:条)?短信.{0,8}(?:享|送|赠|减|入场|抵)|储值满|充满|返\d+元|"
            r"抵\d+元(?!,余|。余)",
            r"(?:付款|支付|出示|扫码|凭|报|关注|消费|充值|到店|买|来就?|办)[^,。!;]{0,8}(?:送|赠)(?![达到货餐修检往回医至来给出])[^,。!;]{1,6}(?=[,。!;]|$)|"
            r"(?:消费|充值|付款)?再加[一二三两\d]成|每[天月年次][^,。]{0,4}少[付还交花收]|轻松分\d+期|(?:今天|本周|这周|现在|下次|本月)[^,。!;]{0,6}(?:便宜|少收?|减)[一二两三四五六七八九十百千\d]+(?:块|元|百|成)?|"
            r"第[二三四五六七八九十\d]+[^,。!;]{0,3}(?:不收|算(?:我们|酒店|店里)|一块|半价|免费)|"
            r"\b(?:pay|paying) for (?:one|two|three|four|five|six|seven|eight|nine|\d)\b|\b(?:one|two|three|four|\d)[ -]for[ -](?:one|two|three|\d)\b|"
            r"\bpay later\b|\bpays you back\b|\b(?:is|are) back (?:on the shel|in (?:store|stock|season))|"
            r"满\s*[\d一二三四五六七八九十两]+\s*(?:晚|次|件|人|杯|天|位|课时?|节|单|斤|瓶|份)[^,。!;]{0,6}(?:送|减|"
            r"赠|免|返|享)|\d+\s*(?:%|percent) (?:less|cheaper|lower|back)\b|[¥$£€]\s?\d[\d,.]* (?:less|cheaper)\b|"
            r"\b(?:pay|cost|join for|book for|stay for)s? less\b|"
            r"\b(?:get|receive|earn|enjoy|collect) (?:a |an |one |another |your )?(?:extra )?[¥$£€]\s?\d|"
            r"\b(?:you )?both (?:of you )?(?:get|receive|earn|save)\b|\brooms? from [¥$£€]|"
            r"[¥$£€]\s?\d[\d.,]* (?:each|a piece|apiece|per person|only)\b|"
            r"\d+\s*(?:%|percent|[¥$£€]) (?:below|under|lower than)\b|"
            r"\bfor the price of\b|\band we(?:'ll| will)? (?:add|give|throw in|pay|double|match)\b|"
            r"\b(?:renew|recharge|top up|book|pay|order|sign up|return)(?: \w+){0,3} and (?:get|we|receive|earn)\b",
            r"\d+\s*(?:%|percent)\s*(?:off|discount)|%\s*[o0]ff\b|\b(?:half|1[/⁄]2)[ -]price\b|\$\s?\d+ off\b|"
            r"[¥£€]\s?\d+ off\b|\boff your (?:next|first)\b",
            r"\b(?:discount(?:s|ed)?|promo(?:s|tions?|tional)?|markdown|clearance|bogo|cashback|cash back|"
            r"bargains?|steals?)\b",
            r"(?<!after )(?<!after-)(?<!point of )\bsales?\b(?! (?:receipt|order|invoice|team|agreement|"
            r"contract|tax|assistant|rep|no\b|manager))",
            r"\bdeals?\b(?! with)|\b(?:special|exclusive|great|best|limited|introductory|launch|member|"
            r"seasonal|lunch|today'?s) (?:\w+ )?(?:offers?|prices?|rates?|deals?|menus?|pricing)\b",
            r"\boffers?\b(?! (?:letter|accepted|of employment|has been accepted))|\bsave (?:up to|big|"
            r"over|an? extra|[$¥£€]|\d+|more|money|on)\b",
            r"\b(?:buy|get|purchase) (?:one|two|1|2|any|more)\b[^.!]{0,30}\b(?:free|half|off|get)\b|"
            r"\b[2-5][ -]for[ -][1-4]\b",
            r"\b(?:only|just|from|starting at|starts at|as low as|for just|for only) ?[$¥£€]\s?\d|"
            r"\blowest price|\bprices? (?:drop|cut|slashed)",
            r"\b(?:double|triple|extra|[2-9]x|\d+ bonus) points\b(?! (?:were|was|have been|credited|added|"
            r"posted))|\bup to \d+%|\d+% back\b|\b(?:top up|recharge|spend|load|deposit|"
            r"add) [$¥£€]?\d[^.]{0,20}\b(?:and|to|get|become|for)\b|\b(?:one|an?|another) (?:more |"
            r"extra )night\b|\bextend your stay\b|\bwe(?:'ll| will) (?:send|give|treat) you\b|"
            r"\bspin the wheel\b|\bwelcome drink\b|\bfirst[ -](?:month|time|order|class|visit) (?:special|"
            r"offer|free|off|deal)",
            r"\b(?:pre-?approved|pre-?selected|0% (?:apr|interest|finance)|low(?:er)? (?:rates?|"
            r"interest))\b|\bno (?:annual|joining) fee\b",
        ),
        DEFINITION,
        SPLIT,
    ),
    Rule(
        "gift",
        STRONG,
        (
            r"优惠券|代金券|抵用券|现金券|折扣券|体验券|礼券|消费券|满减券|兑换券|抵扣券|神券|券包|红包|"
            r"礼包|好礼|豪礼|大礼|礼品|赠品|赠礼|伴手礼|见面礼|生日礼|开门红|大奖|抽奖|赢取|赢大奖|赢好礼|"
            r"刮刮乐|盲盒|彩蛋",
            r"\d+元券|(?:送|赠|获得?|领|得|用|享|张|有|您的)券|券(?:已到账|快到期|即将|待使用|可用|等您|"
            r"未使用|到期)|免费(?:体验|试|领|送|获|享|赠|抢|参|申|听|品|美|护|洗|检|升)",
            rf"(?:领取?|领走|抢|待领|速领|来领|可领|免费领|点击领取|到店领)[^,。!]{{0,10}}{_REWARD}|"
            rf"{_REWARD}[^,。!]{{0,6}}(?:领取|待领|请领|速领)",
            r"送您|送你|赠您|赠送您|送给您|为您(?:准备|送上|奉上|备)了?[^,。]{0,12}(?:礼|券|惊喜|福利|"
            r"蛋糕|甜品)|(?:送|赠)(?:精美|一份|您|豪华|出)",
            r"\bfree (?:gift|trial|upgrade|coffee|tea|drink|dessert|meal|lunch|dinner|breakfast for|"
            r"delivery|shipping|sample|class|lesson|session|consultation|wash|cut|haircut|facial|manicure|"
            r"massage|check|inspection|entry|ticket|night|month|week|year|service|item|product|glass|"
            r"bottle|pizza|burger|treat|appetizer|side|quote|estimate|valuation|workshop|demo|tasting|"
            r"styling|blow|treatment|\w+ with)",
            r"\b(?:for|it'?s|totally|absolutely|completely|yours) free\b(?! (?:up|of))|\bfreebies?\b|"
            r"\bcomplimentary\b(?! (?:wi-?fi|breakfast|parking))",
            r"\b(?:coupons?|vouchers?|gift ?cards? (?:for|when|with|worth)|promo ?codes?|goodie|"
            r"giveaways?|freebie|sweepstakes?|raffle)\b",
            r"\bcode [a-z]{3,}\d{1,3}\b|\buse (?:code|coupon) (?!\d{4,8}\b)\w+|\b(?:win|winning) (?:a|an|"
            r"one|up|big|tickets|prizes?|free|\$)|\bchance to win\b|\bprizes?\b|\benter to win\b|"
            r"\b(?:gift|treat|drink|dessert|round|cake|coffee)s? (?:is |are )?(?:on us|on the house|"
            r"for you|waiting)",
            r"\b(?:birthday|welcome|special|little|surprise) (?:gift|treat|surprise|present|reward)\b|"
            r"\brewards? (?:is |are )?waiting\b|\bperks?\b",
        ),
        ALIYUN,
        SPLIT,
    ),
    Rule(
        "urgency",
        STRONG,
        (
            r"(?:座位|席位|数量|额度|库存|机会|席|房源|档期)(?:十分|非常)?有限|(?:只剩|仅剩|还剩)\S{0,3}(?:件|套|席|间|位|个|台|盒)|"
            r"限时(?!\d*分钟)|限量|限额|仅限(?:今|本|前|明|会员|\d)|名额(?:有限|仅|不多|仅剩|告急)|"
            r"最后\d+[天小席位个名]|最后(?:一天|机会|一波)|倒计时|抢购|抢先|速抢|疯抢|开抢|抢(?:到|票|鲜|"
            r"占|光|完|订|位|注|不)|先到先得|售完即止|手慢无|抓紧(?!时间缴)|档期告急|"
            r"限[\d一二三四五六七八九十]+[人名席位份]|不容错过|勿失良机|错过(?:等|再|不|就|后悔)|别错过|"
            r"不要错过|千万别错|莫失|机不可失|过期不候|赶快|赶紧(?:来|下|抢|购|预|行)|速来|"
            r"快来(?![接校取院办])|快抢|快戳|火速|火爆|火热|爆款|热卖|热销",
            r"\b(?:hurry|last chance|limited[ -](?:time|offer|edition|seats?|spots?|availability|stock|"
            r"places?|number)|while (?:stocks?|supplies|they) last|don'?t miss|act (?:now|fast)|"
            r"ends? (?:soon|tonight|today|this|sunday|friday|at midnight)|final (?:hours|days|call)|"
            r"(?:today|this week(?:end)?|one day|two days|24 hours|48 hours) only|selling (?:fast|out)|"
            r"(?:seats?|places?|spots?|spaces?|tickets?|stocks?|numbers) (?:is|are) (?:strictly |very )?(?:limited|"
            r"filling|going)|(?:is|are) filling up|"
            r"almost gone|before (?:it'?s|they'?re) gone|first come|going fast|only \d+ (?:left|spots|"
            r"seats|places|rooms)|now or never|running out)\b",
        ),
        DEFINITION,
        TAKE_OUT,
    ),
    Rule(
        "launch",
        STRONG,
        (
            r"新品|新款|新装|新菜|新店(?!址|地址)|新课|新推出|全新(?:上|升级|推|系列|登|开|亮|菜|课|项|装|"
            r"体)|上新|新到|首发|首映|首店|首推|新上(?:线|市)|隆重|盛大|重磅|震撼|来袭|登场|开业|开幕|"
            r"开售|预售|开盘|样板间|品鉴|尝鲜|试吃|试营业|正当时|上市(?!公司)|当季|应季|春装|夏装|秋装|"
            r"冬装|换季|早春款|秋冬款|周年庆|店庆|会员日|狂欢|嗨购|购物节|美食节|啤酒节|双11|双十一|双12|"
            r"双十二|618大|年货|年中|黑五|招生|招募|招商|体验课|试听|公开课(?!通知)|名师|旺铺|新盘|楼盘|"
            r"学位房|(?:接受|开放|开启|抢先|火热|正式|现已|即将)(?:预订|预约|预定|报名|认购|订购)(?!成功|确认)|"
            r"(?:预订|预约|报名|认购|档期)(?:开启|开放|进行中|从速|中(?=[,。!]|$))|推出(?:了|全|新|一|多|会|限|夏|春|秋|冬)",
            r"\b(?:spring|summer|autumn|fall|winter|holiday|resort)(?:[- ]summer|[- ]winter)? (?:\d{2,4} )?(?:collection|"
            r"line|range|menu|styles?|looks?)\b|\bcollection (?:arrives|is here|drops|lands)\b|"
            r"\bnew (?:arrivals?|collections?(?! (?:date|time|point|day|code))|menus?|in store|styles?|lines?|range|products?|treatments?|"
            r"season|drop|items?|flavou?rs?|dishes|classes|courses|releases?|designs?|looks?|packages?|"
            r"models?)\b|\b(?:just (?:landed|dropped|arrived in|launched|in:)|now in stores?|"
            r"back in stock|now (?:open|serving|pouring|showing)|grand opening|opening (?:soon|party|"
            r"night)|coming soon|introducing|unveil\w*|launch(?:ing|es|ed)?|debut\w*|pop-?up|trunk show|"
            r"(?:is|are) (?:now )?open for (?:bookings?|booking|enrolment|registration|pre-?orders?|orders)|"
            r"(?:now )?taking (?:bookings|orders|reservations)|"
            r"open house|happy hour|ladies'? night|black friday|cyber monday|boxing day|tasting (?:menu|"
            r"night|event)|live music|sample sale|sneak peek|first look|lookbook)\b",
        ),
        DEFINITION,
        TAKE_OUT,
    ),
)
