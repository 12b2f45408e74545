"""Traditional characters read as simplified: enough for texts and replies, one character for one."""

TRADITIONAL = str.maketrans(
    "訂閱發傳別簡訊騷擾請積餘額預約幫復複絕號碼給單會員點數查詢廣關閉煩沒還歡確認開過時間這裡裏個們讓從錢麼嗎寄續垃圾刪"
    "組織變優惠禮專獨體驗贈樂慶聖誕節親愛陽價減滿買賣領劵搶購獎鮮熱銷雙樣進場總萬億與參門戶邀題臨見轉賬帳費業務運單達"
    "櫃機證據聯繫電話網點擊連結鏈補辦貴賓馬龍東風車飛銀動應對當為無實現產後來將維護護處備員觀賞錄聽講課師學習醫藥",
    "订阅发传别简讯骚扰请积余额预约帮复复绝号码给单会员点数查询广关闭烦没还欢确认开过时间这里里个们让从钱么吗寄续垃圾删"
    "组织变优惠礼专独体验赠乐庆圣诞节亲爱阳价减满买卖领券抢购奖鲜热销双样进场总万亿与参门户邀题临见转账账费业务运单达"
    "柜机证据联系电话网点击连结链补办贵宾马龙东风车飞银动应对当为无实现产后来将维护护处备员观赏录听讲课师学习医药",
)


def simplify(text: str) -> str:
    """The text with the traditional characters of our word lists simplified; positions stay the same."""
    return text.translate(TRADITIONAL)
