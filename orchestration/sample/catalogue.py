"""Stores, departments and products: the small lists everything else refers to."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.sample.model import MODEL
from orchestration.sample.spec import REGIONS, SampleSpec

DEPARTMENTS = (
    ("hq", "总部 Headquarters", None),
    ("sales", "门店销售 Store sales", "hq"),
    ("service", "客户服务台 Customer service desk", "hq"),
    ("logistics", "配送安装 Delivery and installation", "hq"),
    ("online", "电商 E-commerce", "hq"),
    ("marketing", "市场 Marketing", "hq"),
)

# Trading weight of a format: shares of visits and of sales associates.
FORMAT_WEIGHTS = {"flagship": 4, "standard": 2, "express": 1}

CITIES = {
    "north": (
        ("北京", "Beijing"),
        ("天津", "Tianjin"),
        ("沈阳", "Shenyang"),
        ("青岛", "Qingdao"),
        ("哈尔滨", "Harbin"),
    ),
    "east": (("上海", "Shanghai"), ("杭州", "Hangzhou"), ("南京", "Nanjing"), ("苏州", "Suzhou"), ("宁波", "Ningbo")),
    "south": (("广州", "Guangzhou"), ("深圳", "Shenzhen"), ("厦门", "Xiamen"), ("佛山", "Foshan"), ("南宁", "Nanning")),
    "west": (("成都", "Chengdu"), ("重庆", "Chongqing"), ("西安", "Xi'an"), ("昆明", "Kunming"), ("兰州", "Lanzhou")),
}

# Category, lowest list price in CNY, share of list price that is cost, nouns.
CATEGORIES = (
    ("kitchenware", 0, 0.52, (("餐具", "Tableware"), ("炒锅", "Wok"), ("收纳盒", "Storage box"))),
    ("textiles", 60, 0.48, (("靠垫", "Cushion"), ("床品", "Bed linen"), ("窗帘", "Curtain"))),
    ("lighting", 200, 0.55, (("台灯", "Desk lamp"), ("吊灯", "Pendant lamp"), ("落地灯", "Floor lamp"))),
    (
        "small_appliances",
        500,
        0.66,
        (("电饭煲", "Rice cooker"), ("吸尘器", "Vacuum cleaner"), ("净化器", "Air purifier")),
    ),
    ("furniture", 1200, 0.58, (("书桌", "Desk"), ("沙发", "Sofa"), ("衣柜", "Wardrobe"))),
    ("appliances", 3500, 0.72, (("洗衣机", "Washing machine"), ("冰箱", "Refrigerator"), ("空调", "Air conditioner"))),
)

# List prices climb a ladder of 2.5 % steps: any amount has a product just above it, the difference is a discount.
LADDER_BASE = 1.0
LADDER_STEP = 1.025
LADDER_RUNGS = 500


@dataclass(frozen=True)
class Store:
    """One store; ``number`` counts from 1, ``rollout_on`` is the first day of the scheme or None."""

    number: int
    store_id: str
    name: str
    city: str
    region: str
    format: str
    opened_on: date
    closed_on: date | None
    effect: float
    rollout_on: date | None
    wave: int | None

    @property
    def region_number(self) -> int:
        """Position of the region in ``REGIONS``."""
        return REGIONS.index(self.region)

    @property
    def weight(self) -> int:
        """Trading weight."""
        return FORMAT_WEIGHTS[self.format]

    def is_open(self, day: date) -> bool:
        """Whether the store trades on ``day``."""
        return self.opened_on <= day and (self.closed_on is None or day < self.closed_on)


def make_stores(spec: SampleSpec) -> list[Store]:
    """The chain's stores: number 1 to 4 are the regions' hubs, the last but one opens and one in the middle closes."""
    rng = random.Random(f"{spec.seed}/stores")
    count = spec.store_count
    opening, closing = count - 1, count // 2 + 1
    opened_on = spec.month_starts[spec.months * 2 // 5] + timedelta(days=14) if spec.months > 2 else None
    closed_on = spec.month_starts[spec.months * 2 // 3] + timedelta(days=9) if spec.months > 2 else None

    in_waves = [number for number in range(1, count + 1) if number not in (opening, closing)]
    rng.shuffle(in_waves)
    wave_of = {number: position * 3 // len(in_waves) + 1 for position, number in enumerate(in_waves)}
    rollout_on = {wave: spec.month_starts[month] for wave, month in ((1, 6), (2, 12)) if month < spec.months}

    stores = []
    for number in range(1, count + 1):
        region = REGIONS[(number - 1) % 4]
        city_zh, city_en = CITIES[region][((number - 1) // 4) % 5]
        branch = (number - 1) // 20 + 1
        wave = wave_of.get(number, 3)
        stores.append(
            Store(
                number=number,
                store_id=f"S{number:03d}",
                name=f"{city_zh}{branch}店 {city_en} {branch}",
                city=city_zh,
                region=region,
                format="flagship" if number <= 4 else ("standard", "standard", "express")[number % 3],
                opened_on=opened_on if number == opening and opened_on else date(2012 + number % 10, 3, 1),
                closed_on=closed_on if number == closing else None,
                effect=round(rng.gauss(0, MODEL.store_sd), 4),
                rollout_on=rollout_on.get(wave),
                wave=wave if wave in rollout_on else None,
            )
        )
    return stores


def make_products() -> list[tuple[int, str, str, str, int, int]]:
    """One product per rung of the price ladder: rung, product_id, name, category, list price and cost in cents."""
    products = []
    for rung in range(LADDER_RUNGS):
        price = round(100 * LADDER_BASE * LADDER_STEP**rung)
        category, _, cost, nouns = [entry for entry in CATEGORIES if entry[1] * 100 <= price][-1]
        noun_zh, noun_en = nouns[rung % len(nouns)]
        name = f"{noun_zh} {noun_en} {100 + rung}"
        products.append((rung, f"P{rung + 1:04d}", name, category, price, round(price * (cost + rung % 7 / 100))))
    return products
