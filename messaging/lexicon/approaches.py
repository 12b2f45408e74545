"""Words that draw somebody near: invitation, greeting, win-back, referral, soft sell, decoration."""

from django.utils.translation import gettext_lazy as _

from messaging.lexicon.rule import (
    ALIYUN,
    DEFINITION,
    FACTS_ONLY,
    GREETING,
    MEDIUM,
    PLAIN,
    REFERRED_CONTACT,
    STRONG,
    TAKE_OUT,
    TENCENT,
    UNSURE,
    WEAK,
    Rule,
)

_FESTIVAL = (
    r"(?:新年|新春|春节|元旦|元宵|冬至|夏至|立春|清明|感恩节|平安夜|双旦|女生节|端午|中秋|国庆|圣诞|七夕|"
    r"情人节|妇女节|女神节|母亲节|父亲节|儿童节|教师节|劳动节|五一|十一|重阳|腊八|小年|除夕|虎年|龙年|"
    r"蛇年|马年|羊年|双节|节日|佳节|假期|周末|生日|生辰|周年)"
)

APPROACHES: tuple[Rule, ...] = (
    Rule(
        "invitation",
        STRONG,
        (
            r"诚邀|特邀|邀您|邀你|敬邀|恭请|敬请光临|敬请莅临|盛情邀请|邀请(?:您|你|函)?(?:来|参加|体验|"
            r"光临|莅临|品|出席|加入|参与)(?!本次服务|满意度|评价|调查|调研|我们的?满意|.{0,6}(?:满意度|"
            r"评价|会议|例会|家长会|培训|面试|复试))",
            r"欢迎(?:您|你)?(?:来|到|至|莅临|前来|随时|带)[店我门本来]?[^,。!取检]{0,6}(?:体验|选购|品尝|"
            r"咨询|品鉴|参观|试穿|试驾|试|购|逛|玩|鉴赏|坐|惠顾|挑选|尝)",
            r"欢迎(?:您|你)?到店(?![取提办领交检])|欢迎(?:选购|品尝|体验|订购|咨询|来电咨询|试驾|参观|"
            r"预订|垂询|抢购|关注|报名|加入|带)|恭候|期待(?:您|你)(?:来|的到来|到店|参与|加入)",
            r"(?:来|到)(?:店里?|我们这|我家)[^,。]{0,6}(?:坐|看|逛|试|尝|聊|玩|放松)|来(?:坐坐|逛逛|看看|"
            r"尝尝|试试|转转|聊聊|玩|一杯|一碗|一份|杯|碗)|约(?:起来|起|吗|一波|个)(?=$|[^\w]|[吧呗!])|"
            r"走起|不见不散|一起(?:来|去|嗨|玩|吃|过)|(?:等|候)(?:着)?(?:您|你)(?:来|哦|呢|吧|哟|回|光|品|"
            r"到店)",
            r"\byou(?:'?re| are) (?:cordially )?invited\b|\binvites? you (?:to (?!rate|review|confirm|"
            r"complete|a meeting)|for)|\bjoin us\b(?! (?:on|via|in) (?:zoom|teams|room))|(?<!not )\b(?:come|pop|"
            r"drop|stop|swing|call) (?:in|by|on in|on down|over|see us|say hi|visit|join|try|and (?:see|"
            r"try|taste|enjoy|shop|join|visit))\b(?! (?:to collect|to pick|with your|and collect|"
            r"for your (?:appointment|order|parcel)|(?:mon|tue|wed|thu|fri|sat|sun)\w* (?:at )?\d|for (?:a |the )?(?:fitting|check|review)|at \d|at least|before \d|reception|the (?:front|desk|office|counter)))|\b(?:visit|see) us (?:at|in|today|this|for|"
            r"soon|again|on)\b|\b(?:treat|spoil|pamper|reward) (?:yourself|your|someone)\b|"
            r"\byou deserve\b|\b(?:we'?d|would) love (?:to (?:see|have|welcome|host)|you to)\b|"
            r"\bcan'?t wait to (?:see|welcome) you (?:again|back)\b|\brsvp\b(?! (?:received|confirmed))|"
            r"\bbring (?:a|your) (?:friends?|family|mates?)\b",
        ),
        DEFINITION,
        FACTS_ONLY,
    ),
    Rule(
        "call_to_action",
        STRONG,
        (
            r"(?:立即|马上|点击|猛|速|快|赶快|戳|现在就)(?:下单|购买|抢|订购|选购|预订享|入手|囤|加购|"
            r"申请额|领|报名|参与|参加|体验|充值享|戳|进店|开通享)|戳[:>→]?\s*http|详情戳|猛戳|戳链接|"
            r"点链接.{0,4}(?:领|抢|购|买)|了解更多|查看活动|活动详情|进店|逛店|下单(?:立|享|即|有|就|更)|"
            r"入手|囤货|加购|报名(?:从速|热线|电话|享|即|送|参加|火热|开启|中|通道)|咨询热线.{0,12}(?:房|"
            r"铺|课|购)|恭迎|办卡(?:享|送|立|即|有)|开卡(?:享|送|立|即可享|有礼)|注册(?:即?送|享|立|就|"
            r"有礼)",
            r"(?<!out of )\b(?:shop|buy|order|book|reserve|sign up|join|subscribe|register|enrol|enroll|apply|upgrade|"
            r"claim|grab|snag|unlock|explore|discover|browse|preorder|pre-order) (?:now|today|"
            r"online today|here|yours|your (?:spot|seat|table|place|free|slot|gift|reward|next|copy|look|"
            r"perfect)|this week|before|early|our|the (?:new|full|latest)|for)\b",
            r"\b(?:check out|take a look at|have a look at|learn more|find out more|see what'?s new|"
            r"follow us|like us|download (?:our|the) app|tag us|shop the|get yours|swipe up|tap to shop|"
            r"treat your)\b|\bupgrade (?:to|your) (?!.*(?:completed|is complete))",
        ),
        DEFINITION,
        FACTS_ONLY,
    ),
    Rule(
        "greeting",
        STRONG,
        (
            rf"{_FESTIVAL}(?:快乐|愉快|吉祥|安康|大吉|幸福|团圆|如意|好(?=[!,。~]|$)|祝福|问候|将至|到了|"
            rf"来临|来了)|(?:恭祝|恭贺|敬祝|谨祝|预祝|贺|祝愿|恭喜发财|祝福)[^,。]{{0,10}}{_FESTIVAL}?|"
            rf"祝(?:您|你|大家|各位|全家)?[^,。]{{0,8}}{_FESTIVAL}|快乐|拜年|生意兴隆|财源滚滚|万事如意|"
            rf"阖家|合家|身体健康|心想事成|财源广进|福气满|吉祥如意|寿比|青春永驻|美丽(?:永驻|常在)|早安|"
            rf"晚安|(?:感恩|感谢)(?:有您|一路|相伴|陪伴|一直以来|您一直|节|您长期|多年)|"
            rf"又长(?:大)?了?一岁|属于您的(?:日子|一天|节日)|特别的日子",
            r"\bhappy (?:birthday|b-?day|new year|holidays?|anniversary|easter|thanksgiving|diwali|eid|"
            r"mother'?s|father'?s|valentine'?s|chinese|lunar|christmas|halloween|mid-?autumn|hanukkah|"
            r"independence|4th|friday|weekend|monday|spring|summer)|\bmerry (?:christmas|xmas)\b|"
            r"\bseason'?s greetings\b|\beid mubarak\b|\bwish(?:es|ing)? you\b(?! a (?:pleasant|safe|"
            r"nice) (?:stay|trip|journey|flight))|\bbest wishes\b|\bwarmest\b|\bgong xi\b|\b(?:it'?s|"
            r"celebrate) your (?:birthday|big day|special day|anniversary)|\byour (?:special day|big day|"
            r"birthday (?:month|week))\b|\bthank you for (?:being|your (?:loyalty|continued|support|"
            r"trust))|\bthanks for (?:being|your (?:loyalty|continued|support))",
        ),
        ALIYUN,
        GREETING,
    ),
    Rule(
        "win_back",
        STRONG,
        (
            r"好久(?:不见|没见|没来|未见|没有见)|许久(?:未|没|不见)|(?:很|好)?久(?:没|未)(?:来|见|光顾|"
            r"到店|联系|消费|登录|下单|护理|打理)|多日不见|想念|想您|想你|挂念|惦记|念着您|思念|"
            r"距离?(?:您|你)?上次[^,。]{0,12}(?:已|有|过去)|(?:已|有)\d+(?:天|个?月|周)(?:没|未)|(?:天|"
            r"个?月|周|阵子|时间)(?:没|未)(?:来|见|光顾|到店|消费)|回来(?:看看|吧|坐坐|了吗|享|逛)|老地方|"
            r"常回|回归(?:礼|有|享|专)|老朋友|老顾客|还记得(?:我们|那|上次|您)|最近(?:还好|过得|忙)|"
            r"别来无恙|再续前缘|重逢|唤醒",
            r"\b(?:we(?:'ve| have)? (?:really )?miss(?:ed)? (?:you|seeing)|misses you|been missing you|"
            r"missing you|haven'?t seen you|have not seen you|long time no see|(?:it'?s|it has|"
            r"been) (?:been )?(?:a while|too long|ages|some time|months|\d+ (?:weeks|months|days))|"
            r"(?<!need to )(?<!not )come back(?! (?:to (?:the|our) (?:\w+ )?(?:desk|stand|counter|front|reception|host)|at \d|in \d+ min|for your (?:result|check|appointment|order)))|welcome back (?:offer|gift)|your next visit|where have you been|still (?:remember|"
            r"think)|thinking of you|remember us|we want you back|return to us|(?:we|your (?:stylist|"
            r"barber|table|favou?rite)\b.{0,20}) (?:is|are) (?:waiting|ready) for you)\b",
        ),
        DEFINITION,
        TAKE_OUT,
    ),
    Rule(
        "referral",
        STRONG,
        (
            r"邀请好友|邀好友|邀请朋友|推荐好友|推荐朋友|介绍朋友|介绍新?(?:客|会员)|老带新|拉新|好友助力|"
            r"助力|砍价|拼手气|分享(?:给|至|到|朋友|好友|得|即|有|本|链接)|转发(?:本|此|给(?!他人|任何|"
            r"别人|其他)|朋友|好友|得|有|集|即|到|至)|集赞|好评返|五星好评|给个?好评|晒图|晒单|带(?:朋友|"
            r"好友|闺蜜|家人|孩子|宝贝)来|与(?:好友|闺蜜|家人)共享",
            r"\brefer(?:ral|rals)?(?: (?:a|your|program|code|bonus|friends?))|\b(?:tell|invite|"
            r"share with) (?:a|your|some) friends?\b|\bleave (?:us )?(?:a )?(?:5|five)[ -]star|"
            r"\b(?:google|yelp|5-star|five-star) review|\breview us on\b|\brate us (?:5|five)|"
            r"\bon (?:google|yelp|tripadvisor|instagram|facebook|tiktok)\b|\bshare (?:this|your link|"
            r"the love)\b|\bspread the word\b",
        ),
        ALIYUN,
        TAKE_OUT,
    ),
    Rule(
        "cart",
        STRONG,
        (
            r"购物车|还没(?:下单|付款的心)|心仪(?:的|商品|已久)|收藏的(?:商品|宝贝|店铺)|浏览过的|"
            r"您关注的(?:商品|楼盘|房源|车型|课程|产品)|降价(?:了|提醒|通知)|猜您?喜欢|为(?:您|你)(?:精选|"
            r"推荐|甄选|定制|挑选|量身)",
            r"\b(?:your|shopping|the) (?:cart|basket|bag|wish ?list)\b(?! (?:order|total))|"
            r"\bleft (?:something|items?|this) (?:behind|in)|\bforgot something\b|\bstill (?:interested|"
            r"thinking about|want|love) (?:it|in|your|this|that)?|\brecommended for you\b|\bpicked (?:for|"
            r"just for) you\b|\bprice (?:drop|alert)\b|\byou (?:might|may|will|'ll) (?:also )?(?:like|"
            r"love)\b",
        ),
        DEFINITION,
        TAKE_OUT,
    ),
    Rule(
        "opt_out_footer",
        STRONG,
        (
            r"拒收(?:请)?回复?|退订回|回复?(?:t|td|r|n)退|退订请|回\w{1,2}退订|(?:回复?|发送)(?:td|t|r|"
            r"n)(?:即可)?(?:退订|拒收)|取消订阅请|不想接收",
            r"\b(?:reply|text|txt|send) ['\"]?(?:stop|end|unsubscribe|opt ?out)\b|\bopt[ -]?out\b|"
            r"\bunsubscribe\b|\bstop to (?:end|opt|cancel|quit|unsub)|\bstop ?2 ?end\b",
        ),
        TENCENT,
        _("The opt-out line belongs to marketing texts and is added by itself. Take it out."),
    ),
    Rule(
        "contact",
        STRONG,
        (
            r"加(?:我|一下|下|个)?(?:微信|薇信|威信|v信|vx|wx|微|薇|v(?![a-z])|qq|好友|老师|客服微信|"
            r"顾问微信)|[薇威v]信|扫码(?:关注|加|领|进群|入群|下单享|有礼)|进群|入群|粉丝群|福利群|会员群|"
            r"关注(?:我们|公众号|微信|本店|店铺|直播|抖音|小红书)|直播间|下载app.{0,6}(?:领|送|享|得)|qq群",
            r"\badd (?:us|me) on (?:wechat|whatsapp|line|telegram)|\bwechat(?: id)?:|\bwhatsapp us\b|"
            r"\bscan (?:the qr|to (?:join|follow|shop|win))|\bjoin our (?:group|channel|club|community|"
            r"list|vip)",
        ),
        REFERRED_CONTACT,
        TAKE_OUT,
    ),
    Rule(
        "praise",
        MEDIUM,
        (
            r"精彩|惊喜|心动|宠爱|犒劳|奖励自己|好物|臻选|臻享|尊享|尊贵|专享|独享|(?:畅|乐|悦|"
            r"尽)享(?!会员)|推荐(?!人|码)|网红|必吃|必买|必备|人气|口碑|明星产品|匠心|地道|美味|鲜美|香浓|"
            r"变美|逆龄|冻龄|显瘦|焕|蜕变|缤纷|盛宴|钜献|呈献|礼遇|豪华升级|更多(?:好|精|惊|优)|活动(?!室|"
            r"中心|板房|场地|范围|轨迹|课|记录|通知|时间调整|取消|安排)|抢|奖品|中奖|恭喜(?:您|你)?(?:获|"
            r"中|成为幸|被选|喜)|幸运",
            r"\b(?:amazing|exciting|exclusive(?:ly)?|early access|delicious|mouth-?watering|irresistible|"
            r"stunning|gorgeous|luxur\w+|indulge|delight|must-have|bestsell\w+|best-sell\w+|trending|"
            r"hottest|favou?rites?|craving|signature|handcrafted|seasonal|glow|refresh your|"
            r"perfect (?:for|time|day|weather|gift)|vip|insider|congratulations|congrats|lucky|surprise|"
            r"free)\b(?! (?:cancellation|parking|wi-?fi|of charge|up|to (?:call|contact|reply)))",
        ),
        DEFINITION,
        UNSURE,
        lifted_below=-1.9,
    ),
    Rule(
        "soft_sell",
        MEDIUM,
        (
            r"不妨|何不|为何不|要不要(?:来|试|约|做|换)|想不想|有没有兴趣|感兴趣|有兴趣|有空(?:档|吗|来|"
            r"坐|过来|的话)|空档|有位|余位|还有(?:几个|少量|位|房|名)|趁(?:着|现在|早|周末)|天(?:凉|冷|热|"
            r"气转|气渐)|入(?:秋|冬|夏|伏)|秋风|春暖|花开|炎炎|寒冬|换个|该(?:换|做|剪|洗|补|来|保养|添|"
            r"犒)|是时候|放松(?:一下|身心|自己)|给自己|放个假|记得(?:来|过来|回来)|别忘了(?:来|我们|使用)|"
            r"等(?:着)?(?:您|你)(?!决定|回复|确认|答复|通知|同意)|期待(?:您|你|与您|再|下次|相)|再次光临|常来|下次再|惠顾|好消息|喜讯|福音|"
            r"重要的人|心意|(?<!赔您)(?<!补您)(?<!重做)一份|陪您|最适合|正是[^,。]{0,6}(?:好时|季)|咱家?|赴约|小聚|聚餐|下午茶|打卡|尝一尝|体验一下|"
            r"(?:讲座|沙龙|分享会|品鉴会|品酒会|酒会|嘉年华|市集|露营|观影会|读书会|音乐会|派对|体验日|开放日|粉丝见面会)"
            r"(?!取消|改期|延期|改至|改到|因)|"
            r"随时(?:来(?![提取接领拿])|过来|到店)|够(?:换|兑)|顺便|正好用|别忘了来|(?:替|给|帮)(?:您|你)留|最后(?:两|三|几|一)[件份张位个次班席]|"
            r"最快\d+(?:分钟|秒)|点此|戳此|带(?:一位|一个|上|着)?(?:同学|朋友|同伴|家人|邻居|伙伴|同事)|约个|趁(?:现在|年前|节前)|"
            r"(?:费用?|利?息)(?:全|均|都)免|便宜(?:了|啦|多|\d)|(?:续|再)(?:卡|费|充|报|订|约)[^,。]{0,4}(?:赠|送|减|享|得)|算我们的|"
            r"来电(?:咨询|垂询|洽|预)|欢迎(?:咨询|致电|拨打|垂询|再次)|可享|享有|尽在|就在|只为|因为您|"
            r"机会|升级为.{0,6}享|积分(?:可|能|即可)?(?:兑换|换|抵)(?!成功|码|记录|了|\d)|兑换(?:吧|好|心|"
            r"礼|豪|精)|快用|使用吧|用掉|别浪费",
            r"(?:^|[.!?:] )(?:turn|give|try|enjoy|love|kick|skip|grab|meet|discover|stay|invest|celebrate|"
            r"escape|relax|unwind|feel|look|gift|taste|sip|savou?r|experience|transform|refresh|dream|win|"
            r"spend|make|get) |\b(?:now available|by popular demand|back on (?:the menu|sale|the shelves|our)|members?-only|be next|"
            r"got plans|how about|why not|fancy (?:a|some)|ready for (?:a|another|your next|spring|summer|"
            r"winter|autumn|fall|something)|time for (?:a|another|your next|some)|(?:due|"
            r"overdue) for (?:a|another|your next)|in the mood|thinking (?:of|about)|"
            r"looking for(?:ward to (?:seeing|welcoming) you (?:again|back|soon))?|weekend plans|"
            r"plans for|spots? (?:left|open|available)|openings?(?! (?:an?|the|your|hours|account|balance)\b)|availability|slots? (?:left|open|free|"
            r"available)|few (?:spots|seats|tables|rooms)|walk-?ins|getting (?:cold|chilly|warm|hot)|"
            r"(?:waiting|ready) (?:for you|when you are)|when you are\b|see you (?:again|soon)|"
            r"hope to see|don'?t forget (?:to (?:visit|use|try|treat)|us|about)|remember to (?:use|visit|"
            r"treat)|use (?:it|them) (?:before|soon|up)|valued (?:member|customer|guest|client)|"
            r"loyal (?:member|customer)|next time|with us for|ask about our|good news|great news|"
            r"exciting news|big news|interested in|would you like to (?:try|book|see|know)|you'?ll love|"
            r"we think you|just for you|made for you|your reward|treat|enjoy (?:our|a|an|the|your (?:next|"
            r"summer|weekend)|\d)|let us (?:take care|pamper|help you (?:look|feel))|"
            r"look (?:and feel )?your best|feel your best|new look|fresh (?:look|start|cut)|opportunity|"
            r"recommend|special(?:s|ly)?(?! (?:request|instruction|delivery|needs|assistance))|celebrate|"
            r"party|event(?!s? (?:log|id|cancel|postpone))|festival|tickets? (?:now|on sale)|"
            r"(?:a|our|the|free) (?:talk|lecture|seminar|webinar|fair|carnival|fun day|open day|concert|"
            r"tasting|barbecue|picnic|show)(?! (?:is|was|has been) (?:cancelled|moved|postponed))|how to get|"
            r"since you (?:liked|loved|enjoyed)|skip (?:a|jan|feb|next|the next)|"
            r"(?:is|are|for|from|only|just) \d{1,3}(?:\.\d\d)? (?:today|tonight|now|this (?:week|month)|til|till|each|a (?:month|week|day|class|head|spot|year|visit))|"
            r"any (?:day|time) suits|enough points|come by|by the way|tap here|click here|mention this|bring a classmate|"
            r"(?:members|residents|owners|neighbours|regulars|students|guests|locals) (?:pay|get|join|save)|"
            r"(?:is|are) (?:ours|on us)|on the house|with (?:zero|no) (?:fees?|interest)|costs? less|(?:kept|hold(?:ing)?|saved) (?:the |your |it |one |a )[^.]{0,30} until|"
            r"fills? up fast|pick your|let us show|renew and|one last|only once|the last (?:two|three|few)|"
            r"redeem (?:them|it|now|your points|for)|can be redeemed|spend them)\b",
        ),
        DEFINITION,
        UNSURE,
        lifted_below=-1.9,
    ),
    Rule(
        "soft_sell",
        WEAK,
        # Chat: a shop talks so, whatever about.
        (r"(?:啦|哦|哟|咯|嘛|呐|呦|噢|呀|吧|哈|滴|捏|呢)(?=[^\w?]|$)|(?:^|[^\w])亲[,:!~]",),
        DEFINITION,
        UNSURE,
        lifted_below=-0.4,
    ),
    Rule(
        "price",
        WEAK,
        (
            # A sum in a sentence that says neither who paid it nor what it is owed for is a price tag.
            r"(?:(?<=[。!?;\n])|^)(?![^。!?;\n]*(?:费|付|扣|退|余额|消费|充值|账|押金|赔|金额|合计|共计|利息|还款|尾款|"
            r"税|工资|差价|报价|收款|存|租|本金|赠|实收|欠|缴|抵|补|罚|奖学|支出|汇率|分红|入金|应还|定金|"
            r"贷|净值|份额|转|核销|限额|额度|预算|借|还清))(?=[^。!?;\n]*[\u4e00-\u9fff])[^。!?;\n]*?(?:¥\s?\d[\d,.]*|\d[\d,.]*(?:元|块钱|块(?=[,。!]|$)))",
            r"(?:(?<=[!?;\n])|(?<=\. )|^)(?![^!?;\n]*\b(?:paid|pays? (?:by|at|in|to)|to pay|charged?|balance|refund\w*|fees?|"
            r"total|bill|invoice|due|overdue|owed?|owing|deposit|credit\w*|debit\w*|received|costs? (?:you|of)|quote|"
            r"limit|transfer\w*|payments?|from your|from card|with card|with your|to your|cash|bonus|salary|fine|amount|"
            r"remaining|left|spent|recharg\w*|top\w*|excess|rent|premium|dividend|interest|applied|deducted|"
            r"taken|added|repair\w*|replac\w*|parts?|labou?r|voucher used|instal\w*|contract|purchase|withdraw\w*|order|repayment|claim)\b)[^!?;\n]*?"
            r"[¥$£€]\s?\d[\d,.]*",
        ),
        DEFINITION,
        UNSURE,
        lifted_below=-1.2,
    ),
    Rule(
        "question",
        WEAK,
        (
            # What a service may ask: how it was, whether it was you, whether it may go on, yes or no.
            r"(?:(?<=[。!?;\n])|^)(?![^。!?;\n]*(?:满意|评价|评分|打分|本人|如何|怎么样|是否|同意|确认|收到|需要帮助|"
            r"几点|哪天|回复|需要|更换|接受|方便|还是|[行好]不|[行好]吗|可以吗))[^。!?;\n]*[\u4e00-\u9fff][^。!?;\n]*(?:\?|吗(?=[。,!]|$))",
            r"(?:(?<=[.!?;\n])|^)(?![^.!?;\n]*\b(?:how (?:was|were|did|would you rate|satisfied|likely)|not you|"
            r"was (?:this|that|it) you|is (?:this|that|it) (?:you|right|correct|all right|ok)|did you|can you|"
            r"will you|(?:may|shall|can|could) we (?:serve|replace|send|deliver|call|move|refund|change|charge|start|use)|"
            r"do you (?:agree|confirm|still need)|reply|questions?|confirm|received|problem|help|wrong|"
            r"satisfied|happy with|yours|is (?:he|she)|still \d|are you (?:still )?(?:coming|home|in|there|able)|instead|or (?:cancel|later|not)|swap)\b)[^.!?;\n]*[a-z][^.!?;\n]*\?",
        ),
        DEFINITION,
        UNSURE,
        lifted_below=-1.2,
    ),
    Rule(
        "decoration",
        WEAK,
        (
            r"[🎁🎉🎊🔥💥🛍💰🧧💝💖😍🤩🥳🍾✨⭐🌟🎂🍰❤💕👗💄]",
            r"[★☆◆■●▶►→☞]|¥{2,}|\${2,}",
        ),
        TENCENT,
        PLAIN,
        frozenset({"CN"}),
    ),
    Rule(
        "decoration",
        WEAK,
        (r"!\s*!|!{2,}|~{2,}",),
        TENCENT,
        PLAIN,
        frozenset({"CN"}),
        lifted_below=-1.0,
    ),
)
