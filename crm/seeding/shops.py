"""The demo's three shops: what they sell, how their regulars live, who works there. Money in minor units."""

from dataclasses import dataclass

from members.enums import Role, SpendOrder


@dataclass(frozen=True)
class Plan:
    pay_minor: int
    bonus_minor: int
    bonus_valid_days: int | None = 365
    points: int = 0


@dataclass(frozen=True)
class Shop:
    """One store and the habits of its members: days between visits, the usual bill, opening hours (local)."""

    name: str
    address: str
    phone: str
    timezone: str
    language: str
    signature: str
    product: str
    spend_order: SpendOrder
    points_per_unit: int
    plans: tuple[Plan, ...]
    rewards: tuple[tuple[str, int], ...]
    members: int
    chinese_share: float
    gap_days: tuple[int, int]
    bill_minor: tuple[int, int]
    hours: tuple[int, int]
    tags: tuple[str, ...]
    services: tuple[str, ...]


SHOPS: tuple[Shop, ...] = (
    Shop(
        name="Riverside",
        address="18 Binjiang Road, Shanghai",
        phone="021 5555 0100",
        timezone="Asia/Shanghai",
        language="en",
        signature="Riverside",
        product="Salon card",
        spend_order=SpendOrder.PRO_RATA,
        points_per_unit=1,
        plans=(
            Plan(30000, 3000),
            Plan(50000, 8000),
            Plan(100000, 20000, 365, 200),
            Plan(300000, 100000, 180, 500),
        ),
        rewards=(("Head massage", 300), ("Hair mask", 500), ("Haircut", 1200)),
        members=130,
        chinese_share=0.55,
        gap_days=(24, 55),
        bill_minor=(8800, 68800),
        hours=(10, 20),
        tags=("colour", "perm", "short hair", "with children", "VIP"),
        services=("Haircut", "Colour", "Perm", "Treatment"),
    ),
    Shop(
        name="灯笼小馆 Lantern House",
        address="成都市锦江区春熙路 88 号",
        phone="028 5555 0188",
        timezone="Asia/Shanghai",
        language="zh-hans",
        signature="灯笼小馆",
        product="食客卡 Table card",
        spend_order=SpendOrder.BONUS_FIRST,
        points_per_unit=2,
        plans=(Plan(20000, 1000), Plan(50000, 5000), Plan(100000, 15000, 365, 300)),
        rewards=(("酸梅汤一壶", 200), ("红糖糍粑", 400), ("毛血旺", 900)),
        members=110,
        chinese_share=0.85,
        gap_days=(6, 28),
        bill_minor=(6800, 45800),
        hours=(11, 21),
        tags=("不吃辣", "包间", "素食", "VIP", "公司聚餐"),
        services=("四人桌", "包间", "八人桌"),
    ),
    Shop(
        name="Northgate Car Club",
        address="7 Northgate, Leeds",
        phone="0113 496 0100",
        timezone="Europe/London",
        language="en",
        signature="Northgate",
        product="Club card",
        spend_order=SpendOrder.PRINCIPAL_FIRST,
        points_per_unit=1,
        plans=(Plan(50000, 6000), Plan(100000, 15000, None), Plan(200000, 40000, None, 500)),
        rewards=(("Screen wash", 250), ("Interior clean", 800), ("Full valet", 2000)),
        members=65,
        chinese_share=0.2,
        gap_days=(30, 75),
        bill_minor=(12000, 98000),
        hours=(8, 18),
        tags=("electric", "estate", "fleet", "tyres stored", "VIP"),
        services=("Service", "Wash", "Tyre change"),
    ),
)


@dataclass(frozen=True)
class Person:
    """One of the staff. `roles` by the place of the shop in SHOPS; the owner also sees the whole back office."""

    username: str
    display_name: str
    language: str
    roles: tuple[tuple[int, Role], ...]
    is_superuser: bool = False


STAFF: tuple[Person, ...] = (
    Person("owner", "Zhou Min 周敏", "", tuple((shop, Role.OWNER) for shop in range(3)), is_superuser=True),
    Person("manager", "Mei Tan 谭梅", "", ((0, Role.MANAGER), (1, Role.MANAGER))),
    Person("marketer", "Lin Fang 方琳", "", tuple((shop, Role.MARKETER) for shop in range(3))),
    Person("cashier", "Chen Jie 陈洁", "", ((0, Role.CASHIER),)),
    Person("lantern", "王勇 Wang Yong", "zh-hans", ((1, Role.CASHIER),)),
    Person("northgate", "Ann Porter", "en", ((2, Role.CASHIER), (2, Role.MANAGER))),
    Person("auditor", "Tom Reed", "en", tuple((shop, Role.AUDITOR) for shop in range(3))),
)
CASHIERS = {0: "cashier", 1: "lantern", 2: "northgate"}
