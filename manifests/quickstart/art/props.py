"""Eight props of one shelf: thick ink line, warm gold, painted light from the upper left, a round stage behind."""

# A line is a stroke: broken up, a drawing cannot be read any more.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image

from art.brush import Canvas, Paint, Point, box, ellipse, linear, mix, radial, spline, taper

INK = "#2b1a2f"
GOLD = ("#fff0b0", "#f2b63c", "#b8701f", "#7a3f18")
IRON = ("#c9d3de", "#7d8b9c", "#434f60", "#28303e")
OAK = ("#d99a5b", "#a8632f", "#6f3b1f", "#45231a")


def part(c: Canvas, shape: Sequence[Point], paint: Paint | str, *, line: float = 9) -> None:
    """A filled piece with its ink line."""
    c.fill(shape, paint)
    c.stroke([*shape, shape[0]], line, INK)


def gold(start: Point, end: Point) -> Paint:
    """The gold of all the props."""
    return linear(start, end, (0.0, GOLD[0]), (0.3, GOLD[1]), (0.7, GOLD[2]), (1.0, GOLD[3]))


def iron(start: Point, end: Point) -> Paint:
    """Their iron."""
    return linear(start, end, *IRON)


def oak(start: Point, end: Point) -> Paint:
    """Their wood."""
    return linear(start, end, *OAK)


def glint(c: Canvas, x: float, y: float, size: float) -> None:
    """A four-pointed sparkle."""
    points: list[Point] = []
    for i in range(8):
        r = size if i % 2 == 0 else size * 0.16
        points.append((x + r * math.sin(i * math.pi / 4), y - r * math.cos(i * math.pi / 4)))
    c.fill(ellipse(x, y, size * 0.7, size * 0.7), "#fff6d0", opacity=0.4, blur=size * 0.25)
    c.fill(points, "#ffffff")


def rivet(c: Canvas, x: float, y: float, r: float, metal: Callable[[Point, Point], Paint] = gold) -> None:
    """A round nail head."""
    part(c, ellipse(x, y, r, r), metal((x - r, y - r), (x + r, y + r)), line=5)


def stage(light: str, dark: str, seed: int) -> Canvas:
    """The backdrop: a soft disc, motes of dust, a floor."""
    c = Canvas(1024, 1024, dark)
    c.wash(radial((512, 430), 760, mix(light, "#ffffff", 0.45), light, dark))
    c.fill(ellipse(512, 480, 400, 400), mix(light, "#ffffff", 0.5), opacity=0.55)
    c.stroke([*ellipse(512, 480, 424, 424), (936, 480)], 7, mix(light, "#ffffff", 0.55), opacity=0.7)
    rnd = random.Random(seed)
    for _ in range(16):
        a, r = rnd.uniform(0, math.tau), rnd.uniform(430, 500)
        size = rnd.uniform(3, 9)
        c.fill(ellipse(512 + r * math.cos(a), 480 + r * math.sin(a), size, size), "#ffffff", opacity=0.5)
    return c


def shown(c: Canvas, prop: Canvas, *, floor: float = 850, wide: float = 300) -> Image.Image:
    """Stand the finished prop on its stage: floor shadow, ink outline, light along the left, shade along the right."""
    c.fill(ellipse(530, floor, wide, 42), INK, opacity=0.5, blur=20)
    prop.rim(9, 8, "#fff0cc", opacity=0.55, soft=3)
    c.put(prop.outlined(INK, 11))
    c.put(prop)
    return c.finished()


def potion() -> Image.Image:
    c = stage("#f6c9b0", "#c97a72", 1)
    p = c.layer()
    with p.at(512, 560):
        glass = spline([(-66, -290, "c"), (66, -290, "c"), (66, -170), (140, -90), (226, 60), (190, 220), (70, 284), (-70, 284), (-190, 220), (-226, 60), (-140, -90), (-66, -170)])
        part(p, glass, linear((-200, -200), (220, 260), "#e9f7ff", "#b9dcec", "#7fa6c4"))
        inner = [(x * 0.9, y * 0.9 + 16) for x, y in glass]
        surface = spline([(-230, -40), (-110, -58), (0, -36), (110, -22), (230, -46), (230, 320, "c"), (-230, 320, "c")])
        p.fill(surface, radial((-40, 110), 290, "#ff9a8a", "#e8324f", "#8a1440", "#560f38"), clip=inner)
        p.stroke(spline([(-230, -40), (-110, -58), (0, -36), (110, -22), (230, -46)], closed=False), 12, "#ffb8b0", clip=inner)
        for x, y, r in ((-60, 170, 24), (30, 90, 16), (80, 190, 32), (-110, 80, 13), (10, 210, 12), (110, 60, 10), (-20, 20, 9)):
            p.fill(ellipse(x, y, r, r), "#ffb0a6", opacity=0.5)
            p.stroke([*ellipse(x, y, r, r), (x + r, y)], 3.5, "#ffe2da", opacity=0.9)
            p.fill(ellipse(x - r * 0.35, y - r * 0.35, r * 0.25, r * 0.25), "#ffffff")
        p.fill(spline([(-166, 10), (-130, -70), (-104, -60), (-146, 30), (-156, 130), (-184, 110)]), "#ffffff", opacity=0.75)
        p.fill(ellipse(-150, 168, 17, 24, 24), "#ffffff", opacity=0.7)
        p.stroke(spline([(196, 90), (160, 196), (80, 246)], closed=False), taper(20), "#ff9aa8", opacity=0.65)
        part(p, box(-92, -310, 92, -262, 18), linear((-90, 0), (90, 0), "#f4fbff", "#9cc4da", "#6a90b0"))
        part(p, spline([(-62, -312, "c"), (-72, -420, "c"), (0, -436), (72, -420, "c"), (62, -312, "c")]), linear((-70, 0), (70, 0), "#e8bd86", "#b98250", "#7d4f30"))
        for x, y in ((-30, -380), (16, -350), (34, -398), (-12, -404), (-40, -340)):
            p.fill(ellipse(x, y, 8, 5), "#7d4f30", opacity=0.7)
        p.stroke(spline([(-70, -206), (0, -190), (70, -206)], closed=False), 20, INK)
        p.stroke(spline([(-70, -206), (0, -190), (70, -206)], closed=False), 11, "#d9a441")
        p.stroke([(40, -196), (150, -128)], 8, INK)
        with p.at(196, -70, turn=24):
            part(p, spline([(-52, -56, "c"), (0, -84, "c"), (52, -56, "c"), (52, 76, "c"), (-52, 76, "c")]), linear((-50, -80), (50, 76), "#fff3d6", "#e0bd86"))
            p.fill(ellipse(0, -50, 9, 9), INK)
            heart = spline([(0, 52, "c"), (-36, 8), (-18, -18), (0, 0, "c"), (18, -18), (36, 8)])
            p.fill(heart, "#c92a48")
    glint(p, 372, 470, 34)
    return shown(c, p)


def shield() -> Image.Image:
    c = stage("#b9d4ee", "#5a7fb0", 2)
    p = c.layer()
    with p.at(512, 500):
        def heater(k: float) -> list[Point]:
            return spline([(-270 * k, -300 * k, "c"), (-130 * k, -282 * k), (0, -322 * k, "c"), (130 * k, -282 * k), (270 * k, -300 * k, "c"),
                           (276 * k, -40 * k), (190 * k, 200 * k), (0, 352 * k, "c"), (-190 * k, 200 * k), (-276 * k, -40 * k)])

        part(p, heater(1), gold((-260, -300), (240, 300)))
        field = heater(0.86)
        part(p, field, linear((-230, -260), (200, 280), "#4f8fe0", "#2a5cb4", "#1a3678"))
        for quarter in ([(0, -320), (-320, -320), (-320, 0), (0, 0)], [(0, 0), (320, 0), (320, 400), (0, 400)]):
            p.fill(quarter, linear((-230, -260), (200, 280), "#fff8e2", "#ead2a0", "#b98f5c"), clip=field)
        for line in ([(0, -300), (0, 320)], [(-260, 0), (260, 0)]):
            p.stroke(line, 24, INK, clip=field)
            p.stroke(line, 13, gold((-100, -300), (100, 300)), clip=field)
        p.fill(spline([(40, -330), (300, -330), (300, 60), (240, 240), (60, 380), (150, 120), (140, -120)]), "#140c3a", opacity=0.26, clip=field)
        p.fill([(-250, -300), (-120, -300), (-270, 30), (-270, -160)], "#ffffff", opacity=0.3, clip=field)
        for i in range(8):  # a sun on the boss
            with p.at(0, 0, turn=i * 45):
                part(p, spline([(-34, -96, "c"), (0, -172, "c"), (34, -96, "c")]), gold((-30, -160), (30, -90)), line=8)
        part(p, ellipse(0, 0, 112, 112), gold((-100, -110), (90, 110)))
        part(p, ellipse(0, 0, 78, 78), radial((-26, -30), 130, "#ff9a8a", "#d9304a", "#7a1230"))
        p.fill(ellipse(-28, -34, 24, 15, -35), "#ffffff", opacity=0.8)
        for i in range(0, 140, 14):
            x, y = heater(0.93)[i]
            rivet(p, x, y, 13, iron)
        for x0, y0, x1, y1 in ((-190, 60, -120, 130), (130, -180, 176, -120), (60, 170, 90, 240)):  # battle scars
            p.stroke([(x0, y0), (x1, y1)], taper(9), INK, opacity=0.65)
            p.stroke([(x0 + 5, y0), (x1 + 5, y1)], taper(5), "#ffffff", opacity=0.6)
    glint(p, 330, 300, 38)
    return shown(c, p, floor=872, wide=220)


def lantern() -> Image.Image:
    c = stage("#f4d79a", "#8a5a3c", 3)
    c.fill(ellipse(512, 560, 330, 330), "#fff2a8", opacity=0.6, blur=70)
    p = c.layer()
    with p.at(512, 560):
        ring = ellipse(0, -392, 62, 62)
        p.stroke([*ring, ring[0]], 36, INK)
        p.stroke([*ring, ring[0]], 19, gold((-60, -450), (60, -330)))
        part(p, spline([(-46, -332, "c"), (46, -332, "c"), (70, -282, "c"), (-70, -282, "c")]), gold((-60, -330), (60, -280)))
        part(p, spline([(-70, -284, "c"), (70, -284, "c"), (140, -230), (226, -152, "c"), (-226, -152, "c"), (-140, -230)]), linear((-200, -280), (200, -150), "#6fd0b8", "#2d8a80", "#17504f"))
        for x in (-92, 0, 92):
            p.stroke(spline([(x * 0.42, -278), (x, -214), (x * 1.3, -156)], closed=False), 7, INK, opacity=0.65)
        part(p, box(-240, -160, 240, -112, 16), gold((-240, -160), (200, -110)))
        glass = [(-186.0, -112.0), (186.0, -112.0), (206.0, 214.0), (-206.0, 214.0)]
        part(p, glass, radial((0, 110), 280, "#fffde8", "#ffe07a", "#f59a2e", "#c9581f"))
        flame = spline([(6, -92, "c"), (64, 10), (98, 104), (62, 182), (0, 204), (-62, 182), (-98, 104), (-40, 34)])
        p.fill(flame, linear((0, -90), (0, 200), "#ff8a2a", "#f2521f"))
        p.fill([(x * 0.66 + 2, y * 0.72 + 54) for x, y in flame], "#ffd23f")
        p.fill([(x * 0.36, y * 0.46 + 106) for x, y in flame], "#fffbe0")
        p.fill([(-160, -108), (-104, -108), (-128, 210), (-182, 210)], "#ffffff", opacity=0.42)
        p.fill([(80, -108), (104, -108), (110, 210), (84, 210)], "#ffffff", opacity=0.3)
        for x in (-198, -64, 64, 198):
            rod = [(x * 0.94, -116), (x * 1.04, 216)]
            p.stroke(rod, 34, INK)
            p.stroke(rod, 18, gold((x - 12, 0), (x + 12, 0)))
        part(p, box(-246, 204, 246, 256, 16), gold((-240, 204), (200, 256)))
        part(p, spline([(-210, 256, "c"), (210, 256, "c"), (256, 316, "c"), (-256, 316, "c")]), linear((-220, 256), (220, 316), "#6fd0b8", "#2d8a80", "#17504f"))
        for x in (-214, -107, 0, 107, 214):
            rivet(p, x, -136, 11, iron)
            rivet(p, x, 230, 11, iron)
    glint(p, 348, 466, 34)
    return shown(c, p, floor=884, wide=320)


def chest() -> Image.Image:
    c = stage("#cfe3b4", "#6f9a62", 4)
    p = c.layer()
    with p.at(500, 590):
        front = [(-330.0, -60.0), (150.0, 0.0), (150.0, 250.0), (-330.0, 170.0)]
        side = [(150.0, 0.0), (350.0, -90.0), (350.0, 130.0), (150.0, 250.0)]
        part(p, side, linear((150, 0), (350, 120), "#7d4526", "#3f2018"))
        part(p, front, oak((-330, -60), (160, 260)))
        for k in (1, 2):
            p.stroke([(-330, -60 + 77 * k), (150, 83 * k)], 6, INK, opacity=0.8)
            p.stroke([(150, 83 * k), (350, -90 + 73 * k)], 6, INK, opacity=0.8)
        for x, y, w in ((-260, -10, 90), (-90, 30, 120), (-230, 90, 110), (20, 110, 80), (-130, 150, 100)):  # grain
            p.stroke(spline([(x, y), (x + w * 0.5, y + w * 0.06), (x + w, y + w * 0.15)], closed=False), taper(5), OAK[3], opacity=0.55)
        lid_side = spline([(150, 0, "c"), (150, -130), (190, -236), (252, -268), (320, -220), (350, -90, "c")])
        lid = spline([(-330, -60, "c"), (-330, -190), (-290, -300), (-220, -330, "c"), (252, -268, "c"), (190, -236), (152, -130), (150, 0, "c")])
        part(p, lid_side, linear((150, -250), (350, -60), "#8d5230", "#4a281c"))
        part(p, lid, linear((-200, -330), (-60, 0), "#e9b070", "#b46c36", "#743f22"))
        for t in (0.34, 0.68):
            p.stroke(spline([(-330 + 30 * t, -60 - 250 * t), (-80, -42 - 232 * t), (150 + 40 * t, -200 * t)], closed=False), 6, INK, opacity=0.8)
        for x in (-270, 70):  # iron bands over lid and front
            lean = (x + 330) / 480
            top = spline([(x, -52 + 60 * lean), (x + 2, -180 + 56 * lean), (x + 44, -292 + 60 * lean), (x + 102, -324 + 60 * lean)], closed=False)
            p.stroke(top, 66, INK)
            p.stroke(top, 49, iron((x - 20, -300), (x + 60, 0)))
            low = [(x, -54 + 60 * lean), (x, 176 + 80 * lean)]
            p.stroke(low, 66, INK)
            p.stroke(low, 49, iron((x - 30, 0), (x + 30, 200)))
            for y in (-24, 80, 150):
                rivet(p, x, y + 68 * lean, 11)
            for k in (10, 24, 36):
                rivet(p, *top[k], 11)
        for quad in ([(-344, -86), (156, -26), (156, 26), (-344, -36)], [(156, -26), (360, -118), (360, -66), (156, 26)]):
            part(p, [(float(x), float(y)) for x, y in quad], gold((-340, -90), (360, 40)))
        part(p, [(120.0, 190.0), (156.0, 194.0), (156.0, 262.0), (80.0, 250.0)], gold((80, 190), (156, 260)))
        part(p, [(-344.0, 110.0), (-300.0, 118.0), (-276.0, 190.0), (-344.0, 180.0)], gold((-344, 110), (-280, 190)))
        lock = spline([(-150, -70, "c"), (-46, -58, "c"), (-46, 40), (-98, 84), (-150, 26)])
        part(p, lock, gold((-150, -70), (-46, 80)))
        p.fill(ellipse(-98, -6, 17, 18), INK)
        p.fill([(-106, 0), (-90, 0), (-84, 46), (-112, 44)], INK)
        p.fill(spline([(-300, -220), (-268, -286), (-226, -310), (-150, -300), (-240, -250)]), "#fff0d0", opacity=0.45)
        for x, y in ((-250, 232), (-170, 254), (-212, 206), (220, 238), (292, 206), (256, 262), (-90, 270)):  # coins
            part(p, ellipse(x, y + 8, 46, 24), GOLD[3])
            part(p, ellipse(x, y, 46, 24), gold((x - 40, y - 20), (x + 40, y + 24)))
            p.stroke([*ellipse(x, y, 28, 13), (x + 28, y)], 4, GOLD[3], opacity=0.8)
    glint(p, 250, 330, 36)
    glint(p, 756, 800, 26)
    return shown(c, p, floor=846, wide=380)


def key() -> Image.Image:
    c = stage("#d9c3ec", "#7d5fa8", 5)
    p = c.layer()
    with p.at(496, 530, turn=38, size=0.97):
        part(p, box(-34, -70, 34, 392, 14), gold((-34, 0), (40, 0)))
        for y in (6.0, 250.0, 372.0):
            part(p, box(-56, y - 19, 56, y + 19, 14), gold((-56, y), (56, y)))
        part(p, spline([(34, 268, "c"), (176, 268, "c"), (176, 318, "c"), (128, 318, "c"), (128, 338, "c"), (176, 338, "c"), (176, 390, "c"), (34, 390, "c")]), gold((34, 260), (180, 390)))
        p.fill(box(56, 288, 104, 306), GOLD[3], opacity=0.6)
        for a in (0, 120, 240):  # three rings in a clover, a stone in the middle
            x, y = 128 * math.sin(math.radians(a)), -212 - 128 * math.cos(math.radians(a))
            ring = ellipse(x, y, 86, 86)
            p.stroke([*ring, ring[0]], 76, INK)
        for a in (0, 120, 240):
            x, y = 128 * math.sin(math.radians(a)), -212 - 128 * math.cos(math.radians(a))
            ring = ellipse(x, y, 86, 86)
            p.stroke([*ring, ring[0]], 57, gold((x - 110, y - 100), (x + 100, y + 110)))
            arc = [q for i, q in enumerate(ellipse(x - 2, y - 2, 96, 96)) if 50 <= i <= 70]
            p.stroke(arc, taper(13), "#fffbe0", opacity=0.9)
        part(p, ellipse(0, -212, 92, 92), gold((-90, -300), (90, -120)))
        gem = [(64 * math.sin(i * math.tau / 8), -212 - 64 * math.cos(i * math.tau / 8)) for i in range(8)]
        part(p, gem, radial((-16, -232), 110, "#9affd0", "#1fae7d", "#0b5a4a"))
        for i in range(8):
            p.stroke([gem[i], (gem[i][0] * 0.46, -212 + (gem[i][1] + 212) * 0.46)], 4, "#d8fff0", opacity=0.55)
        table = [(x * 0.46, -212 + (y + 212) * 0.46) for x, y in gem]
        p.fill(table, linear((-30, -240), (30, -180), "#d8fff0", "#3fcf9c"))
        p.stroke([(-14, 40), (-14, 226)], taper(13), "#fffbe0", opacity=0.9)
        p.stroke([(20, -40), (20, 360)], taper(16), GOLD[3], opacity=0.5)
    glint(p, 560, 236, 38)
    return shown(c, p, floor=896, wide=240)


def scroll() -> Image.Image:
    c = stage("#f0dcb4", "#b0804f", 6)
    p = c.layer()
    paper = ("#fff6dc", "#f0d9a4", "#cfa566")
    with p.at(512, 500, turn=-7):
        sheet = spline([(-240, -300, "c"), (240, -300, "c"), (228, -100), (246, 120), (236, 300, "c"), (-236, 300, "c"), (-246, 80), (-226, -120)])
        part(p, sheet, linear((-240, -280), (220, 300), *paper))
        for x, y, w in ((-150, 210, 70), (190, -90, 54), (-200, -60, 44)):
            p.fill(ellipse(x, y, w, w * 0.7), "#b9803f", opacity=0.22, blur=14, clip=sheet)
        rnd = random.Random(66)
        for i in range(5):  # writing nobody can read
            at = -170.0
            while at < 150:
                long = rnd.uniform(26, 74)
                word = spline([(at + long * k / 6, -196 + i * 46 + (9 if k % 2 else -9) * rnd.uniform(0.5, 1)) for k in range(7)], closed=False)
                p.stroke(word, 6.5, "#6b3f2a", opacity=0.9)
                at += long + 20
        path = spline([(-160, 196), (-90, 110), (-20, 160), (50, 84), (120, 120)], closed=False)  # a map below it
        for i in range(0, len(path) - 4, 8):
            p.stroke([path[i], path[i + 4]], 9, "#c9304a")
        for a, b in (((104, 104), (142, 142)), ((142, 104), (104, 142))):
            p.stroke([a, b], 15, "#c9304a")
        for x, y in ((-176, 84), (-130, 66), (-60, 214)):
            part(p, spline([(x - 30, y + 26, "c"), (x, y - 28, "c"), (x + 30, y + 26, "c")]), linear((x, y - 28), (x, y + 26), "#8fb77a", "#4f7a4a"), line=6)
        for y, lift in ((-318, -1), (318, 1)):
            part(p, box(-292, y - 54, 292, y + 54, 50), linear((0, y - 54), (0, y + 54), "#fff8e2", "#f0d9a4", "#b98a50", "#8a5a34"))
            for side in (-1, 1):
                part(p, ellipse(262 * side, y, 34, 53), linear((0, y - 50), (0, y + 50), "#e6c48a", "#9c6a3c"))
                coil = [(262 * side + 22 * (1 - t / 40) * math.cos(t * 0.42), y + 38 * (1 - t / 40) * math.sin(t * 0.42)) for t in range(40)]
                p.stroke(coil, 5, INK)
                part(p, box(min(290 * side, 366 * side), y - 22, max(290 * side, 366 * side), y + 22, 12), oak((0, y - 22), (0, y + 22)))
                part(p, ellipse(372 * side, y, 30, 34), gold((372 * side - 30, y - 34), (372 * side + 30, y + 34)))
            p.fill(box(-230, y + 58 if lift < 0 else y - 82, 230, y + 82 if lift < 0 else y - 58), "#6b3f2a", opacity=0.3, blur=9, clip=sheet)
        for lean in (-28, 24):
            part(p, [(150 + lean - 24, 230), (150 + lean + 28, 230), (150 + lean * 2.4 + 34, 372), (150 + lean * 2.4, 340), (150 + lean * 2.4 - 34, 372)], linear((120, 230), (200, 370), "#e8405a", "#8a1440"))
        seal = [(150 + (74 + 6 * math.sin(i * 1.9)) * math.cos(i * math.tau / 40), 214 + (74 + 6 * math.cos(i * 2.3)) * math.sin(i * math.tau / 40)) for i in range(40)]
        part(p, seal, radial((126, 186), 130, "#ff8a8a", "#d9304a", "#7a1230"))
        p.stroke([*ellipse(150, 214, 50, 50), (200, 214)], 6, "#7a1230")
        leaf = spline([(150, 178, "c"), (176, 204), (150, 252, "c"), (124, 204)])
        p.fill(leaf, "#7a1230")
        p.fill(ellipse(118, 176, 16, 9, -36), "#ffffff", opacity=0.75)
    glint(p, 246, 236, 32)
    return shown(c, p, floor=894, wide=330)


def spellbook() -> Image.Image:
    c = stage("#b7e2dc", "#3f8a8f", 7)
    p = c.layer()
    with p.at(506, 500, turn=7):
        pages = [(-206.0, -296.0), (296.0, -270.0), (300.0, 356.0), (-200.0, 366.0)]
        back = spline([(-220, -300, "c"), (310, -286, "c"), (322, 372, "c"), (-210, 384, "c")])
        part(p, back, linear((-200, -300), (320, 380), "#6a2f6f", "#35153f"))
        part(p, pages, linear((0, -300), (0, 360), "#fff6dc", "#e0c48e"))
        for k in range(7):
            p.stroke([(250 + k * 7, -262), (254 + k * 7, 352)], 3, "#a8804a", opacity=0.8)
            p.stroke([(-190, 318 + k * 7), (290, 310 + k * 7)], 3, "#a8804a", opacity=0.8)
        cover = spline([(-262, -340, "c"), (-220, -352), (240, -336, "c"), (250, -300), (256, 300, "c"), (-214, 318), (-256, 300, "c")])
        part(p, cover, linear((-250, -340), (260, 300), "#c05ab4", "#8a2f86", "#4a1a58"))
        spine = spline([(-262, -340, "c"), (-206, -352, "c"), (-196, 318, "c"), (-256, 306, "c"), (-290, 0)])
        part(p, spine, linear((-290, 0), (-196, 0), "#8a2f86", "#d070c4", "#5a1f62"))
        for y in (-250, -90, 90, 236):
            part(p, [(-284, y - 18), (-194, y - 18), (-192, y + 18), (-284, y + 18)], gold((-284, y), (-192, y)))
        for x, y, turn in ((236, -322, 90), (240, 292, 180)):  # corners
            with p.at(x, y, turn=turn):
                part(p, spline([(-6, -6, "c"), (118, -6, "c"), (84, 40), (40, 84), (-6, 118, "c")]), gold((0, 0), (110, 110)))
                rivet(p, 34, 34, 13, iron)
        frame = spline([(-150, -270, "c"), (186, -262, "c"), (196, 236, "c"), (-144, 246, "c")])
        p.stroke([*frame, frame[0]], 15, INK, opacity=0.8)
        p.stroke([*frame, frame[0]], 8, gold((-150, -270), (190, 240)))
        for i in range(12):
            with p.at(22, -14, turn=i * 30):
                ray = 176 if i % 3 == 0 else 146
                part(p, [(-15, -92), (0, -ray), (15, -92)], gold((-14, -ray), (14, -92)), line=7)
        part(p, ellipse(22, -14, 108, 108), gold((-80, -120), (130, 100)))
        part(p, ellipse(22, -14, 80, 80), linear((-40, -80), (80, 60), "#35153f", "#1c0a26"))
        eye = spline([(-46, -14, "c"), (22, -62), (90, -14, "c"), (22, 34)])
        part(p, eye, radial((22, -14), 80, "#ffffff", "#d8f6ff", "#8fc9e0"), line=7)
        part(p, ellipse(22, -14, 32, 32), radial((14, -24), 48, "#a0ffe8", "#14a89c", "#08505a"), line=6)
        p.fill(ellipse(22, -14, 9, 25), INK)
        p.fill(ellipse(11, -28, 9, 7), "#ffffff")
        for y in (-180, 168):  # clasps
            part(p, [(170, y - 30), (322, y - 24), (322, y + 32), (170, y + 30)], linear((170, y - 30), (320, y + 30), "#a8632f", "#6f3b1f", "#45231a"))
            part(p, ellipse(186, y, 36, 36), gold((150, y - 30), (216, y + 36)))
            rivet(p, 186, y, 13, iron)
        p.fill([(-180, -340), (-60, -338), (-180, -60)], "#ffffff", opacity=0.2, clip=cover)
        mark = [(70.0, 318.0), (122.0, 316.0), (130.0, 452.0), (102.0, 420.0), (74.0, 456.0)]
        part(p, mark, linear((70, 318), (130, 450), "#ffd86a", "#e0962e"))
    glint(p, 318, 220, 38)
    return shown(c, p, floor=900, wide=300)


def crystals() -> Image.Image:
    c = stage("#bfd0f4", "#4a5fa8", 8)
    c.fill(ellipse(512, 500, 330, 330), "#c8f4ff", opacity=0.6, blur=80)
    p = c.layer()
    with p.at(512, 800):
        for x, lean, w, h, tones in (
            (-120, -17, 74, 420, ("#e2c8ff", "#9a6af0", "#5a2fb0", "#35187a")),
            (150, 20, 80, 390, ("#c8fff4", "#4ad0d8", "#1f7fa8", "#154a78")),
            (10, 1, 116, 640, ("#d8fbff", "#6ac4ff", "#2f6fe0", "#1b3a98")),
            (-232, -34, 56, 260, ("#c8fff4", "#4ad0d8", "#1f7fa8", "#154a78")),
            (254, 38, 58, 250, ("#e2c8ff", "#9a6af0", "#5a2fb0", "#35187a")),
            (-66, -8, 70, 290, ("#ffd8f4", "#f07ac8", "#b02f8a", "#6a1860")),
            (112, 10, 62, 230, ("#d8fbff", "#6ac4ff", "#2f6fe0", "#1b3a98")),
        ):
            with p.at(x, 0, turn=lean):
                tip = w * 1.25
                left = [(-w, 0), (-w * 1.06, -h + tip), (-w * 0.12, -h), (-w * 0.3, -h + tip * 1.25), (-w * 0.24, 0)]
                middle = [(-w * 0.24, 0), (-w * 0.3, -h + tip * 1.25), (-w * 0.12, -h), (w * 0.56, -h + tip * 1.1), (w * 0.5, 0)]
                right = [(w * 0.5, 0), (w * 0.56, -h + tip * 1.1), (-w * 0.12, -h), (w * 1.04, -h + tip * 0.9), (w, 0)]
                part(p, [(-w, 0), (-w * 1.06, -h + tip), (-w * 0.12, -h), (w * 1.04, -h + tip * 0.9), (w, 0)], tones[2], line=16)
                p.fill(left, linear((0, -h), (0, 0), tones[0], tones[1], tones[2]))
                p.fill(middle, linear((0, -h), (0, 0), mix(tones[0], "#ffffff", 0.5), tones[0], tones[1]))
                p.fill(right, linear((0, -h), (0, 0), tones[1], tones[2], tones[3]))
                p.stroke([(-w * 0.3, -h + tip * 1.25), (-w * 0.24, 0)], 5, "#ffffff", opacity=0.8)
                p.stroke([(-w * 0.12, -h), (-w * 0.3, -h + tip * 1.25), (w * 0.56, -h + tip * 1.1), (-w * 0.12, -h)], 4, "#ffffff", opacity=0.7)
                p.fill([(-w * 0.8, -h * 0.3), (-w * 0.5, -h * 0.36), (-w * 0.5, -h * 0.62), (-w * 0.8, -h * 0.58)], "#ffffff", opacity=0.4)
        rock = spline([(-330, 40, "c"), (-300, -30, "c"), (-226, -76, "c"), (-150, -40, "c"), (-90, -84, "c"), (-10, -50, "c"), (70, -88, "c"), (150, -44, "c"), (222, -74, "c"), (300, -26, "c"), (336, 44, "c"), (240, 92, "c"), (-240, 92, "c")])
        part(p, rock, linear((-300, -80), (280, 90), "#b8a8c4", "#766584", "#41344f"))
        for quad in ([(-226, -76), (-150, -40), (-180, 30), (-300, -30)], [(-90, -84), (-10, -50), (-40, 40), (-120, 10)], [(70, -88), (150, -44), (130, 30), (50, 20)]):
            p.fill(quad, "#ffffff", opacity=0.2)
        for quad in ([(150, -44), (222, -74), (300, -26), (336, 44), (240, 92), (180, 40)], [(-10, -50), (70, -88), (50, 20), (-40, 40)], [(-150, -40), (-90, -84), (-120, 10), (-180, 30)]):
            p.fill(quad, "#1c1030", opacity=0.28, clip=rock)
        for x, y in ((-250, 20), (210, 26)):
            for lean in (-30, 0, 28):
                part(p, spline([(x - 11, y + 40, "c"), (x + lean, y - 34, "c"), (x + 13, y + 40, "c")]), linear((x, y - 34), (x, y + 40), "#a8e07a", "#3f8a4a"), line=6)
    glint(p, 486, 250, 44)
    glint(p, 726, 520, 28)
    glint(p, 316, 560, 24)
    return shown(c, p, floor=888, wide=350)


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "crystals": crystals,
    "key": key,
    "lantern": lantern,
    "potion": potion,
    "scroll": scroll,
    "shield": shield,
    "spellbook": spellbook,
    "treasure_chest": chest,
}
