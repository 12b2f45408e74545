"""What service texts say, and their harmless uses of promotional words."""

# Service uses of promotional words: read over before the rules are applied.
ALLOWED: tuple[str, ...] = (
    r"免费(?:停车|wifi|取消|退改|退票|改签|早餐|寄存|保管|接送服务已)",
    r"free (?:cancellation|parking|wi-?fi|of charge)|at no (?:extra )?(?:cost|charge)",
    r"(?:如|若|有)?(?:有)?(?:任何)?(?:疑问|问题|异议|需要?)[^。]{0,4}(?:请|欢迎)?(?:您)?(?:随时)?(?:咨询|"
    r"致电|拨打|联系)[^,。]{0,10}",
    r"抽奖(?:编号|号码|序号|登记)|参与编号|优惠券?(?:已)?(?:核销|使用成功)|(?:已)?使用(?:了)?(?:优惠券|"
    r"代金券|抵用券|现金券)|(?:优惠券|代金券|抵用券|现金券|积分)抵扣\s*¥?\d+(?:\.\d+)?元?",
    r"(?:已|成功)(?:为您)?兑换|兑换成功|赠送(?:余额|账户|金额|部分|本金)|专属(?:客服|管家|顾问|经理|服务)|"
    r"推荐人|(?:请勿|不要|切勿)(?:转发|泄露|分享)(?:给|于)?(?:他人|任何人|别人)?",
    r"(?:coupon|voucher|gift card|discount|offer) (?:\w+ )?(?:has been |was |is )?(?:applied|redeemed|"
    r"used|accepted)|gift card (?:balance|ending|no)|promo(?:tion)? to (?:senior|manager)",
    r"(?:job|conditional|your) offer letter|do not share|don'?t share|never share|not? forward",
    r"会员(?:卡)?(?:余额|积分|等级)|活动(?:室|中心)|(?:班级|校园|社团|户外|体育|春游|秋游)活动",
    r"祝(?:您|你)?(?:用餐|入住|生活|旅途|旅行|出行|学习|工作|购物|观影|游玩|一路|住宿|就餐|驾驶|行车|早日|"
    r"身体早日)[^,。!]{0,6}(?:愉快|平安|顺利|顺心|康复)?",
    r"(?:感谢|谢谢)(?:您|你)?(?:的)?(?:本次|此次)?(?:光临|惠顾|使用|配合|支持|理解|耐心等待|来电|致电|"
    r"预订|预约|入住|参与)",
    r"thank(?:s| you) for (?:your (?:patience|understanding|payment|purchase|visit|order|booking|stay|"
    r"feedback|call)|visiting|calling|shopping|booking|choosing|staying|dining|waiting|letting)",
    r"special (?:request|instruction|delivery|needs|assistance)s?|see you (?:then|there|tomorrow|at \d|"
    r"on \w+day)|looking forward to (?:seeing|welcoming) you (?:then|on|at|tomorrow)",
    r"(?:results?|reports?|statements?|invoices?|photos?|receipts?|gallery) (?:is|are) now available|"
    r"get (?:ready|your ticket)|after-?sales?(?: service)?|event (?:log|id)|save (?:this|the) (?:number|"
    r"code|message|receipt|contact)|upgrade (?:is )?(?:completed?|finished|successful)|system upgrade|"
    r"software upgrade",
    r"(?:升级|维护|更新)(?:完成|改造|维护)|系统升级|会员(?:等级)?(?:已)?升级(?:为|至|到)|机会(?:成本)",
    r"(?:账户|账号|异常|可疑|登录|交易|设备)活动(?:状态)?|抢修|抢险|抢救|参与的?抽奖(?:活动)?(?:编号)?|"
    r"(?:到店|到门店|来店)(?:查看|领取|取走|办理|退款|退货|换货|核对|签字|缴费|交车|取车|复查)(?:结果|报告|合同|"
    r"账单|证件|手续)?|(?:请|须)[^,。]{0,6}停止(?:使用|饮用|食用)|"
    r"有(?:需要|问题|疑问|任何)[^,。]{0,6}|敬请(?:谅解|留意|知悉|期待回复|配合|悉知|注意)|给您(?:带来|"
    r"造成)(?:的)?不便",
    r"(?:member|loyalty|staff|early|senior)? ?(?:rate |price )?discount (?:of [¥$£€]?\d[\d.,]* )?(?:was|has been|is) "
    r"(?:applied|deducted|taken off)",
    r"free (?:repair|replacement|return|recall|re-?delivery)s?(?: appointment)?",
    r"free (?:loan car|re-?test|replacement|transfer)|(?:retest|return|exchange|redo|repair|replacement)\b[^.!?]{0,25} is free|"
    r"(?:bay|room|table|seat|chair|line|desk|doctor|machine|bed)(?:'s| is) (?:now )?free\b|feel free to|free of \w+|\d ?x special \w+|(?:hands?|sugar|gluten|nut|smoke|lactose)-free|free (?:up|space|place|spot)\b|"
    r"\d+%(?= (?:of your (?:quota|data|limit)|battery|complete|humidity))",
)

# How a text takes its leave, as a sentence of its own: neither reader sees it. Wishes for a feast or a birthday are none.
COURTESY = (
    r"(?:(?<=[,.;!。\n~])|^) *(?:祝(?:您|你|大家)?(?:的)?(?:一切|生活|用餐|就餐|用车|驾驶|行车|入住|住宿|旅途|旅行|出行|一路|学习|工作|购物|观影|游玩|"
    r"早日|身体早日)(?:愉快|平安|顺利|顺心|舒心|康复|进步|如意)|(?:谢谢|感谢)(?:您|你)?(?:的)?(?:惠顾|光临|支持|配合|理解|耐心等待)?|祝好|"
    r"have (?:a|yourself a) (?:very )?(?:nice|good|great|lovely|safe|pleasant|wonderful) "
    r"(?:day|evening|weekend|week|trip|journey|stay|flight|one|time|rest of your day)|we wish you a (?:pleasant|nice|good|safe) "
    r"(?:stay|day|trip|journey|flight)|(?:many )?thanks(?: again| a lot)?|thank you(?: again)?|take care|drive safely|"
    r"safe travels|safe journey|get well soon|(?:kind|best|warm) regards)+ *(?=$|[,.;!。\n~])"
)

# The same, but only in a text that tells of money that has already moved.
PAID_FACT = (
    r"(?:已|成功|刚刚?|本次|您于)[^,。]{0,14}(?:充值|消费|支付|付款|扣款|入账|到账|开卡|储值|结账|退款|"
    r"扣费|转入|购买)|(?:充值|消费|支付|付款|扣款|开卡|储值|退款)(?:成功|完成|¥?\d|金额|"
    r"人民币)[^。]{0,40}(?:余额|实付|实收|到账)|实付|实收|实扣|(?:you (?:have )?(?:paid|spent|recharged|"
    r"topped up|loaded|added)|was (?:paid|charged|debited|credited|recharged)|(?:recharge|top-?up|payment|"
    r"purchase) (?:of .{1,20} )?(?:was |is )?(?:success|received|complete|confirmed)|(?:recharge|"
    r"recharged|top-?up|topped up|spent|paid|receipt|invoice)[^.]{0,40}\d)"
)
# An offer is no fact, even beside one: with it nothing is read over.
OFFER = (
    r"(?:现在|即日起|即可|凡|再|今日起?|本月|活动期间|前往)[^。!;]{0,12}(?:充|存|储|消费|满|"
    r"购)[^。!;]{0,10}(?:送|赠|返|减|享)|(?<!已)(?<!成功)(?:充|存|储|(?<!功)充值|"
    r"(?<!功)储值)满?\s*¥?\d+\s*(?:元|块)?\s*[,就即可]*\s*(?:送|得|返)|\b(?:recharge|top up|load|add|"
    r"spend|deposit|buy|when you \w+) (?:over |at least )?[¥$£€]?\d[\d,.]*[^.]{0,15}\b(?:get|receive|earn|"
    r"enjoy|for a)\b"
)
PAID_ALLOWED = (
    r"(?<=,)(?:另|并)?(?:赠|送)\s*¥?\d[\d,.]*元|(?:(?:含|其中|另|已|并|系统)(?:获)?(?:赠|送)|赠送|赠金|赠款|获赠)(?:金额|余额|部分|账户|积分|"
    r"额)?(?:为|:)?\s*¥?(?:\d[\d,.]*|\{\w+\})(?:元|积分|分|次)?|(?:已|本次|共|合计|含|使用|按)?(?:会员|满减|"
    r"新人|生日|积分|活动)?(?:优惠|减免|折扣|抵扣|立减|满减)(?:后|价)?(?:了|金额|:|为|扣款|实付|支付)?\s*-?¥?(?:\d[\d,.]*|\{\w+\})元?|(?:incl(?:uding|\.)?|plus|with|"
    r"\+)? ?(?:a )?bonus:?(?: of)? ?[¥$£€]?(?:\d[\d,.]*|\{\w+\})|[¥$£€]?(?:\d[\d,.]*|"
    r"\{\w+\}) (?:in )?bonus(?: points)?|discount:? (?:of )?-?[¥$£€]?(?:\d[\d,.]*|\{\w+\})"
)

# What only a service text says. A text without any of it goes to a reviewer, whatever else it says.
SERVICE = (
    r"验证码|校验码|动态码|密码|登录|注册|余额|消费|扣款|支付|付款|收款|实付|充值|退款|转账|账单|欠费|缴费|"
    r"应缴|缴纳|物业费|水费|电费|燃气|停水|停电|停气|停暖|供暖|检修|维护|升级|暂停|施工|消毒|电梯|消防|"
    r"订单|下单|发货|物流|快递|包裹|签收|取件|派送|配送|自提|提货|取货|到货|外卖|骑手|预约|预订|预定|入住|"
    r"退房|房间|房号|客房|航班|排队|取号|叫号|餐位|就座|就诊|挂号|体检|报告|检查|检验|积分|等级|开卡|办卡|"
    r"会员卡|储值卡|卡号|次卡|挂失|冻结|解冻|到期|过期|失效|生效|有效期|密码|修改|绑定|解绑|变更|审核|"
    r"申请|办理|工单|报修|维修|保养|取车|交车|年检|年审|违章|保险|保单|理赔|合同|签约|租金|房租|课程|上课|"
    r"下课|开课|停课|课时|成绩|作业|家长|放学|考试|通知|公告|会议|开会|例会|培训|值班|调休|放假|考勤|面试|"
    r"入职|工资|停业|暂停营业|营业时间|闭店|搬迁|调查|评价|评分|打分|满意度|回访|来电|未接|致电|回电|wifi|"
    r"桌号|包间|上菜|结账|发票|选片|取片|照片|相册|成片|底片|净值|赎回|申购|分红|还款|扣费|入账|到账|转入|"
    r"转出|持仓|签到|编号|欢迎光临|欢迎入住|欢迎来到|洗车|车辆|爱车|停车|车位|门禁|访客|押金|核销|"
    r"兑换成功|已兑换|剩余|本次|操作|异常|安全|更换|手机号|客服|工程师|技师|取消|改期|延期|延迟|调整|确认|"
    r"受理|处理|完成|报价|救援|拍摄|恢复|登记|更新|意见|投诉|请假|改约|服务码|出示|取衣|洗好|配好|提交|"
    r"排班|盘点|收货|派单|派出|寄存|行李|验证|逾期|催缴|停机|上门|抄表|关闭|开启|开通|站内信|申报|跟进|"
    r"下载|打包|提醒您|下跌|上涨|年卡|季卡|月卡|闭馆|闭园|停运|开放|私教|故障|停放|备好|取餐|设置|预警|"
    r"风险提示|尺码|换货|退货|寄出|单号|库存|反馈|修好|接回|在校|到校|离校|归还|锁定|新设备|日报|报表|"
    r"入场码|转让|教练|改到|改至|供水|清洗|叫醒|接机|司机|钥匙|遗失|失物|取药|复诊|用药|疫苗|值机|登机|"
    r"候补|改签|进店码|门锁|断电|断网|账号|身份|授权|地址|开奖|领取|生成|补办|补课|还清|缺货|送达|到达|"
    r"出发|停用|作废|代收|移交|到访|放行|资料|您的[^,。]{1,12}(?:已|正在|将于)|"
    r"零件|备注|测验|签名|留院|出来了|爽约|按规定|留到|留观|观察|摔了|擦破|受伤|挪[到了]|推[到迟]|往后推|顺延|改线上|改给|发烧|代步|寄养|点滴|化验|喂了|在修|没货|售罄|少了|漏[了水打]|补送|重[开做]|退[您了]|"
    r"前面还有|排第|柜号|不用(?:来|回复)|消磁|落在|落了|前台收着|签字|没扣|没交|号源|忌口|拆线|打烊|顶楼漏|换成|缺课|量体温|"
    r"烟感|报警|警报|派人|派员|代课|任课|老师生病|生病|同意书|签回|签署|寄修|拉链|修补|可取|取走|取回|破损|损坏|重新制作|"
    r"核实|异物|添麻烦|副本|运单|遗留|寄回|检测|定损|换底|委托|晚点|校车|站点|室温|空调|超时|保留至|启用|"
    r"抬头|邮箱|查收|电子版|含花生|含(?:坚果|麸质|海鲜|乳制品)|发型师|时长|过敏|不适|就医|召回|批次|停止使用|停止饮用|送货|送货员|配送员|保持电话|师傅|医嘱|"
    r"护理后|染发后|手术|班车|航站|轮胎|刹车|机油|电瓶|磨损|等候|请[^,。]{0,10}前[^,。]{0,6}(?:完成|到|提交|办理|支付)",
    r"\b(?:balance|charged|paid|pay|payment|debited|credited|recharged?|top-?up|topped up|refund(?:ed)?|"
    r"receipt|invoice|bill|due|overdue|order|shipped|dispatched|deliver(?:y|ed)|parcel|package|courier|"
    r"tracking|pick-?up|collect(?:ion)?|booking|booked|appointment|reservation|confirmed|confirm|"
    r"cancel(?:led|ed)?|reschedul\w+|postponed|delayed|check-?(?:in|out)|checked (?:in|out)|room|table|"
    r"queue|ticket no|points|earned|redeemed|tier|card|account|password|log-?in|sign-?in|code|otp|pin|"
    r"statement|policy|premium|maintenance|outage|water|power|elevator|lift|meeting|shift|staff|roster|"
    r"payroll|class|lesson|school|exam|report|results?|repair|service (?:completed|is complete)|vehicle|"
    r"car|claim|application|approved|contract|lease|rent|deposit|survey|how was|reply [0-9]|rate|rating|"
    r"feedback|missed (?:your )?call|your call|call you back|calling|wi-?fi|expires?|expiry|reminder|"
    r"notice|welcome to|entry (?:number|no)|photos?|gallery|proofs|portfolio|nav|dividend|"
    r"transfer(?:red)?|withdrawal|security|alert|device|pass ?code|replaced|on (?:mon|tues|wednes|thurs|"
    r"fri|satur|sun)day at \d|session|park|rider|wake-up|set for|debit|failed|low stock|address|fixed|"
    r"minutes late|running late|clinic|library|locked|wrong|incomplete|picked up|on hold|boiler|reopens?|"
    r"plate|terminal|lab|prescription|sign-?out|settings?|subscription (?:was|has|ends)|renewal|moved to|"
    r"assigned|resolved|finished|collect(?:ed)?|quote|approve|decline|tow|on (?:its|the|his|her) way|eta|"
    r"drill|plumber|electrician|unit value|complaint|submit|received|members?hip|gold member|"
    r"silver member|voucher has|draw is|locker|expires in|arrived|permit|absent|portal|refunded|traffic|"
    r"out of (?:stock|service)|enquiry|inquiry|request|replacement|renewed?|updated?|changed|phone number|"
    r"pick(?:ed|ing)? up|studio|provided|in stock|indoors|swap(?:ped)?|meds?|medication|doses?|tablets?|surgery|awake|stitches|fever|jab|vaccin\w+|scan|"
    r"waitlist|in line|out of order|left a note|instead of|off (?:sick|today)|is (?:sick|ill)|behind|broke down|stuck|stamp card|"
    r"no (?:extra |more )?(?:charge|cost)|nothing to pay|on file|handed in|left (?:behind|your)|you left|goes? back|sent (?:to|you)|"
    r"split|minibar|hem(?:med|ming)?|tailoring|boarding|grade[sd]?|essay|bus \d|lab|unpaid|short by|on back order|rack \d+|bay \d+|"
    r"alarm|detector|sensor|test takes place|mended|repaired|being repaired|went off|without charge|alteration|"
    r"postponed|consent form|permission slip|signature is needed|temperature|sick room|substitute|takes \w+day's|"
    r"please (?:do not|avoid|wear|bring|keep|remove|return|sign|check|come (?:at|without|early|on time|by)|be at home)|"
    r"store your bags|your bags|exchange|send (?:it|the \w+ item|the old item) back|verify|upload|customs|expect it|meters?|"
    r"door code|ring if|card reader|bring cash|arrives? on|starts? the same|move(?:d)? you|"
    r"taxi|cab|shuttle|coach|flight|gate|luggage|suitcase|lost property|wait(?:ing)? time|ahead of you|"
    r"(?:lessons?|visits?|washes|sessions?|treatments?|classes|uses|services|credits|rides|items) (?:are|is)? ?left|"
    r"was taken from|your (?:front |rear |left |right )?(?:tyres?|tires?|brakes?|engine|battery) (?:is|are|was|were|"
    r"needs?)|recall(?:ed)?|allergy|allergens?|allergic|contains?|"
    r"decision|parents'? (?:evening|meeting|night)|sports day|homework|pupils?|teacher|school trip|trainers|"
    r"(?:is|are|will be) open from|opens? (?:at|from|again)|closes? at|comes? (?:this|at|on|tomorrow|between)|"
    r"hours|closed|visitor|access (?:card|code|granted|denied)|engineer|technician|driver|arriv(?:e|ed|"
    r"ing)|ready)\b|\{(?:code|balance|amount|points|order\w*|booking\w*|room\w*|card\w*|due\w*)\}",
)

TRIGGER = (
    r"开卡成功|办卡成功|成为(?:我店|本店|我们的?)?会员|注册成功|您查询|查询结果|查询的|欢迎光临|欢迎入住|"
    r"欢迎来到|签到|来电|未接|未能接听|评价|满意度|评分|打分|参与编号|抽奖编号|报名编号|抽签|入场",
    r"\bcard (?:is|has been|was) opened|\bwelcome to\b|\bas requested|\byou asked|\bmissed your call|"
    r"\bfor calling|\bchecked in|\bentry (?:number|no)|\bhow was|\brate (?:us|your|our)|\bon a scale|"
    r"\breply [0-9] to [0-9]",
)

CODE_WORDS = (
    r"验证码|校验码|动态码|动态密码|注册码|登录码|安全码|验证口令|确认码|激活码|\botp\b|\b(?:verification|"
    r"security|login|log-in|sign-?in|one-time|confirmation|authentication|auth|access|activation) (?:code|"
    r"passcode|password|pin)\b|\bpasscode\b|\bone-time\b|\bcode is\b|\bis your (?:\w+ ){0,3}(?:code|"
    r"pin)\b|\byour (?:\w+ ){0,3}code:? (?=\d|\{)|\bcode: (?=\d|\{)"
)

# Clauses that say nothing of their own: addresses, politeness, conditions, times.
FILLING = (
    r"\d|\{\w+\}|请|谢|抱歉|歉意|谅解|不便|配合|如有|如非|若|如需|疑问|问题|地址|地点|位于|回复|尊敬的?|"
    r"亲爱的?|您好|你好|女士|先生|用户|业主|家长|住户|同事|员工|会员|祝|本人|忽略|泄露|告知|联系|电话|勿|"
    r"已|将于|自.{0,4}起|截至|截止|共计|合计|金额|人民币|尾号|门店|前往|携带|凭|有效|日期|时间|编号|原因|"
    r"由于|因|现|为您|本店|我们会|尽快|稍后|及时|工作日|小时|分钟|今日|今天|明天|明日|本周|下周|上午|下午|"
    r"晚上|位老师|老师|医生|店|前台|柜台|服务|信息|详情|说明|提示|温馨提示|以免|避免|务必|孩子|同学|"
    r"身份证|小姐|老板|总|您家|部分|保留|负责|师傅|楼|时|改为|同意|位|理解|来自",
    r"\d|\{\w+\}|\b(?:(?:call|contact|tell|ask) us if|please|nobody|no one|thanks?|thank you|sorry|apologi\w+|inconvenience|if (?:you|this|it)|not you|"
    r"ignore|contact|questions?|hi|hello|dear|reply|valid|until|today|tomorrow|tonight|monday|tuesday|"
    r"wednesday|thursday|friday|saturday|sunday|address|floor|you can|do not|don't|never|keep|bring|show|"
    r"present|total|amount|number|store|shop|desk|reception|counter|we will|we'll|we are|your (?:child|"
    r"pet|son|daughter|item|items)|has been|have been|was|were|is now|will be|complete[d]?|safe|support|"
    r"help|share|yes|no|none|one|two|three|four|five|six|seven|eight|nine|ten|(?:is|are) left|cash|sir|madam|mr|ms|mrs|time|takes?|wait|details|reference)\b",
)
