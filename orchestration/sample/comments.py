"""What customers write: sentences by theme, polarity and language, and how often each theme comes up per survey."""

from __future__ import annotations

from itertools import cycle

THEMES = ("product", "price", "queue", "staff", "delivery", "returns")

SENTENCES: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("product", "positive", "zh"): ("商品质量很好，做工扎实。", "款式齐全，正好是我想要的。"),
    ("product", "negative", "zh"): ("质量一般，用了两天就坏了。", "实物和图片差别很大。"),
    ("product", "positive", "en"): ("Great quality, exactly what I wanted.", "The range is wide and well made."),
    ("product", "negative", "en"): ('It broke after two days, so much for "premium".', "Not at all like the picture."),
    ("price", "positive", "zh"): ("价格实惠，活动力度大。", "性价比很高。"),
    ("price", "negative", "zh"): ("价格偏贵，别家便宜不少。", "标价和结账价格不一致。"),
    ("price", "positive", "en"): ("Fair prices, and the promotion was real.", "Good value for money."),
    ("price", "negative", "en"): ("Too expensive, others charge less.", "The shelf price and the till price differ."),
    ("queue", "positive", "zh"): ("结账很快，不用排队。", "人多但是安排得很有序。"),
    ("queue", "negative", "zh"): ("排队太久，只开了一个收银台。", "等了半个小时才结账。"),
    ("queue", "positive", "en"): ("No queue, checkout was quick.", "Busy but well organised."),
    ("queue", "negative", "en"): ("I waited half an hour at the till.", "One till open, twenty people waiting."),
    ("staff", "positive", "zh"): ("店员很热情，讲解很专业。", "服务态度好，有问必答。"),
    ("staff", "negative", "zh"): ("店员爱理不理，问什么都不知道。", "服务态度差，推来推去。"),
    ("staff", "positive", "en"): ("Friendly and competent staff.", "The adviser took time and knew the product."),
    ("staff", "negative", "en"): ("The staff ignored us.", "Nobody could answer a simple question."),
    ("delivery", "positive", "zh"): ("送货准时，安装师傅很细心。", "配送很快，包装完好。"),
    ("delivery", "negative", "zh"): ("送货晚了好几天，没人通知。", "包装破损，师傅态度也不好。"),
    ("delivery", "positive", "en"): ("Delivered on time and installed with care.", "Fast delivery, nothing damaged."),
    ("delivery", "negative", "en"): ("Days late, and nobody called.", "The parcel arrived damaged, the crew was rude."),
    ("returns", "positive", "zh"): ("退换货很方便，当天就处理了。", "退款到账很快。"),
    ("returns", "negative", "zh"): ("退货手续麻烦，跑了三趟。", "退款拖了两个星期。"),
    ("returns", "positive", "en"): ("The return was easy and quick.", "Refunded on the same day."),
    ("returns", "negative", "en"): ("Returning it took three visits.", "Two weeks for a refund."),
}

# Twelfths of the comments of a survey that speak of each theme, in the order of THEMES.
_MIX = {
    "store_visit": {"positive": (3, 2, 1, 5, 0, 1), "negative": (2, 3, 4, 2, 0, 1)},
    "delivery": {"positive": (2, 1, 0, 1, 8, 0), "negative": (2, 0, 0, 1, 8, 1)},
    "service_call": {"positive": (1, 0, 1, 6, 1, 3), "negative": (3, 1, 3, 2, 1, 2)},
}
SLOTS = 24


def comment_slots() -> list[tuple[str, str, str, int, str, str]]:
    """Rows of survey_code, polarity, language, slot (0 to SLOTS - 1), theme, sentence; every slot is equally likely."""
    rows = []
    for survey_code, by_polarity in _MIX.items():
        for polarity, parts in by_polarity.items():
            for language in ("zh", "en"):
                themes = [theme for theme, part in zip(THEMES, parts, strict=True) for _ in range(2 * part)]
                sentences = {theme: cycle(SENTENCES[theme, polarity, language]) for theme in THEMES}
                rows += [
                    (survey_code, polarity, language, slot, theme, next(sentences[theme]))
                    for slot, theme in enumerate(themes)
                ]
    return rows
