"""Made-up people: names of both languages, numbers nobody has."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from members.enums import Gender

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程苏魏吕丁任卢姚沈钟姜"


def _words(text: str) -> list[str]:
    return text.split()


GIVEN = {
    Gender.FEMALE: _words(
        "静 丽 敏 婷 娜 雪 慧 莹 倩 颖 思雨 晓燕 雅琴 梦瑶 欣怡 若兰 美玲 佳慧 诗涵 子涵 晓梅 秀英 海燕 玉兰"
    ),
    Gender.MALE: _words(
        "伟 强 磊 军 勇 杰 涛 明 超 浩 志强 建国 子轩 浩然 俊杰 宇航 文博 天佑 建华 国栋 晓东 海涛 嘉豪 一鸣"
    ),
}
FIRST = {
    Gender.FEMALE: _words(
        "Alice Amelia Beth Carol Chloe Dana Ella Emma Freya Grace Hannah Isla Jane Kate Laura Lucy Maya Nina Olivia "
        "Paula Rosa Sarah Sophie Zoë"
    ),
    Gender.MALE: _words(
        "Adam Ben Carl Daniel David Edward Finn George Harry Ian Jack James Kevin Liam Mark Noah Oliver Paul Peter "
        "Ryan Sam Simon Thomas Will"
    ),
}
LAST = _words(
    "Adams Baker Barnes Bell Brooks Carter Clarke Cooper Davies Evans Foster Gray Green Hall Harris Hughes Jackson "
    "Kelly King Lewis Marsh Morgan Murphy Nelson O'Brien Parker Price Reid Robinson Scott Shaw Stone Turner Walker "
    "Ward Webb West Wood Wright Young"
)


@dataclass(frozen=True)
class Somebody:
    name: str
    language: str
    gender: Gender
    birthday: date


def phone_number(index: int) -> str:
    """A number of the made-up range that only the simulator has: a demo's first, then those for measurements."""
    return f"+8619900{100_000 + index:06d}" if index < 100_000 else f"+86199{90_000_000 + index:08d}"


def somebody(rng: random.Random, chinese_share: float) -> Somebody:
    """A person drawn from the generator."""
    gender = rng.choice((Gender.FEMALE, Gender.FEMALE, Gender.MALE))
    birthday = date(rng.randint(1955, 2006), rng.randint(1, 12), rng.randint(1, 28))
    if rng.random() < chinese_share:
        return Somebody(rng.choice(SURNAMES) + rng.choice(GIVEN[gender]), "zh-hans", gender, birthday)
    return Somebody(f"{rng.choice(FIRST[gender])} {rng.choice(LAST)}", "en", gender, birthday)
