"""Kael himself: head, cloak, bow. Local units: his face is 200 wide, its middle is (0, 0)."""

# A line is a stroke: broken up, a drawing cannot be read any more.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from art.brush import Canvas, Knot, ellipse, linear, mix, radial, ribbon, spline, taper

SKIN, SKIN_DARK, SKIN_LIGHT = "#d69a72", "#8f5a44", "#f2c39c"
HAIR, HAIR_LIGHT = "#38231c", "#6d4430"
CLOAK, CLOAK_DARK, CLOAK_LIGHT = "#2f6b4f", "#173a30", "#5fa077"
LINING = "#122722"
LEATHER, LEATHER_DARK, LEATHER_LIGHT = "#7a4a2b", "#45281a", "#b97d4b"
COPPER, COPPER_LIGHT = "#c9743a", "#ffd09a"
WOOD, WOOD_DARK, WOOD_LIGHT = "#8a5a33", "#4f2f1c", "#c99762"

HOOD = spline(
    [
        (22, -318, "c"), (84, -262), (166, -190), (208, -84), (212, 30), (190, 140), (216, 262), (120, 336),
        (-120, 336), (-216, 262), (-190, 140), (-212, 30), (-208, -84), (-166, -190), (-76, -268),
    ]
)
OPENING = spline(
    [
        (8, -222, "c"), (70, -190), (126, -112), (143, -10), (136, 104), (98, 206), (0, 274, "c"),
        (-98, 206), (-136, 104), (-143, -10), (-126, -112), (-66, -192),
    ]
)
FACE = spline(
    [
        (0, -150), (68, -138), (98, -78), (100, 0), (92, 64), (70, 120), (34, 158), (0, 164),
        (-34, 158), (-70, 120), (-92, 64), (-100, 0), (-98, -78), (-68, -138),
    ]
)


def hood(c: Canvas) -> None:
    """The hood seen from the front, with its dark inside; the face goes over it."""
    c.fill(HOOD, linear((-230, -200), (230, 200), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    for side in (-1, 1):  # folds that run from the peak to the shoulders
        for x0, x1, w in ((60, 196, 26), (30, 150, 16)):
            line = spline([(x0 * side, -262), (x1 * side, -120), ((x1 + 14) * side, 90), (x1 * side, 250)], closed=False)
            c.fill(ribbon(line, taper(w)), CLOAK_DARK, opacity=0.5, blur=5, clip=HOOD)
    c.fill(spline([(-150, -220), (-60, -272), (6, -284), (-10, -240), (-120, -180), (-196, -70), (-206, -110)]),
           CLOAK_LIGHT, opacity=0.55, blur=8, clip=HOOD)
    c.fill(OPENING, radial((0, 20), 250, "#1c3a31", LINING, "#081411"))


def hood_rim(c: Canvas) -> None:
    """The stitched edge of the hood, over the face and hair."""
    rim = ribbon([*OPENING, OPENING[0]], 26)
    c.fill(rim, linear((-160, -200), (170, 220), mix(CLOAK_LIGHT, "#ffffff", 0.12), CLOAK, CLOAK_DARK))
    c.stroke([*OPENING, OPENING[0]], 3, CLOAK_DARK, opacity=0.5)
    inner = spline(
        [
            (8, -208, "c"), (62, -180), (115, -106), (131, -10), (124, 98), (89, 196), (0, 258, "c"),
            (-89, 196), (-124, 98), (-131, -10), (-115, -106), (-58, -182),
        ]
    )
    c.stroke([*inner, inner[0]], 5, "#06110e", opacity=0.55, blur=3)
    for i in range(0, len(OPENING), 5):
        x, y = OPENING[i]
        x2, y2 = OPENING[(i + 2) % len(OPENING)]
        c.stroke([(x * 1.045, y * 1.045), (x2 * 1.045, y2 * 1.045)], 3.4, COPPER, opacity=0.9)


def face(c: Canvas, *, turn: float = 0.0, light: int = -1, brow: float = 0.0, look: float = 0.0) -> None:
    """Face, hair and beard. turn -1..1 to the side, light -1 from the left or 1 from the right, brow drawn down 0..1."""
    s = turn * 26  # how far the features slide over the skull
    neck = spline([(-62, 96), (62, 96), (74, 250), (0, 290), (-74, 250)])
    c.fill(neck, linear((0, 120), (0, 250), mix(SKIN_DARK, "#000000", 0.35), SKIN_DARK))
    c.fill(spline([(0, -196), (92, -160), (128, -60), (126, 40), (104, 96), (-104, 96), (-126, 40), (-128, -60), (-92, -160)]),
           linear((0, -190), (0, 90), HAIR, mix(HAIR, "#000000", 0.4)))
    c.fill(FACE, linear((100 * light, -40), (-100 * light, 60), SKIN_LIGHT, SKIN, mix(SKIN, SKIN_DARK, 0.55)))
    # the side away from the light
    away = -light
    c.fill(spline([(18 * away + s, -160), (26 * away + s, -60), (12 * away + s, -20), (34 * away + s, 60), (10 * away + s, 100),
                   (14 * away + s, 180), (130 * away, 160), (140 * away, -120)]),
           mix(SKIN_DARK, "#3a2a4a", 0.25), opacity=0.5, clip=FACE, blur=1.5)
    c.fill(ellipse(58 * light + s, 38, 34, 24), "#e8805c", opacity=0.22, blur=12, clip=FACE)
    _beard(c, s, light)
    _eyes(c, s, turn, brow, look)
    _nose(c, s, light)
    # the hood's shade over brow and cheeks
    c.fill(spline([(-130, -200), (130, -200), (122, -74), (60, -58), (0, -62), (-60, -58), (-122, -74)]),
           "#1c1a2a", opacity=0.40, blur=16, clip=[*FACE])
    # forelock
    lock: list[Knot] = [(-104, -70), (-92, -142), (-30, -176), (40, -172), (96, -132), (104, -66), (84, -104), (48, -124), (30, -96, "c"),
            (8, -126), (-20, -120), (-44, -78, "c"), (-58, -116), (-84, -100)]
    c.fill(spline(lock), linear((0, -180), (0, -80), HAIR, mix(HAIR, HAIR_LIGHT, 0.5)))
    for x0, x1, x2 in ((-60, -66, -48), (-20, -8, 6), (30, 32, 34), (62, 74, 88)):
        c.stroke(spline([(x0, -168), (x1, -140), (x2, -104)], closed=False), taper(6), HAIR_LIGHT, opacity=0.75)

def _beard(c: Canvas, s: float, light: int) -> None:
    beard = [(-99, -6), (-90, 40), (-66, 62), (-44 + s, 58), (-20 + s, 52), (0 + s, 58), (20 + s, 52), (44 + s, 58), (66, 62),
             (90, 40), (99, -6), (98, 70), (76, 132), (38, 172), (0 + s * 0.4, 182), (-38, 172), (-76, 132), (-98, 70)]
    c.fill(spline(beard), linear((90 * light, 20), (-90 * light, 180), mix(HAIR_LIGHT, SKIN, 0.12), HAIR, mix(HAIR, "#000000", 0.25)))
    chin = spline([(-30 + s, 92), (0 + s, 99), (30 + s, 92), (24 + s, 112), (0 + s, 118), (-24 + s, 112)])
    c.fill(chin, mix(SKIN, HAIR, 0.35), opacity=0.55, blur=3)
    for i in range(-7, 8):  # strands
        x = i * 11.5
        bottom = 176 - abs(i) * 9
        c.stroke(spline([(x + s * 0.7, 112 - abs(i) * 4), (x * 0.96 + s * 0.5, 140 - abs(i) * 6), (x * 0.86, bottom)], closed=False),
                 taper(3.4), HAIR_LIGHT if (i * light) > 0 else mix(HAIR, "#000000", 0.5), opacity=0.45)
    c.stroke(spline([(-31 + s, 82), (-12 + s, 78), (0 + s, 81), (12 + s, 78), (31 + s, 82)], closed=False), taper(7.5), "#4a1f1a")
    c.fill(spline([(-20 + s, 84), (0 + s, 85), (20 + s, 84), (10 + s, 93), (-10 + s, 93)]), "#b2664f", opacity=0.9, blur=0.8)
    for side in (-1, 1):
        c.fill(spline([(2 * side + s, 56, "c"), (24 * side + s, 58), (46 * side + s, 76), (50 * side + s, 92, "c"),
                       (30 * side + s, 78), (4 * side + s, 73)]), mix(HAIR, HAIR_LIGHT, 0.35))


def _eyes(c: Canvas, s: float, turn: float, brow: float, look: float) -> None:
    for side in (-1, 1):
        near = 1 - 0.22 * max(0.0, turn * side)  # the far eye is narrower
        x, y, w = 43 * side * near + s, -24, 25 * near
        c.fill(ellipse(x, y - 4, w * 1.5, 24), SKIN_DARK, opacity=0.62, blur=8, clip=FACE)
        almond = spline([(x - w, y + 2 * side), (x - w * 0.4, y - 12), (x + w * 0.4, y - 12), (x + w, y - 2 * side),
                         (x + w * 0.45, y + 11), (x - w * 0.45, y + 11)])
        c.fill(almond, linear((x, y - 14), (x, y + 12), "#a9a08f", "#efe5d2"))
        ix = x + look * 8 + turn * 5
        c.fill(ellipse(ix, y - 1, 11.5, 12), radial((ix, y + 3), 14, "#ffc24a", "#c77a1c", "#6b3510"), clip=almond)
        c.fill(ellipse(ix, y - 1, 5, 5.6), "#140b08", clip=almond)
        c.fill(ellipse(ix - 4, y - 6, 3.2, 3.2), "#ffffff", clip=almond)
        lid = spline([(x - w - 2, y + 2 * side), (x - w * 0.4, y - 13), (x + w * 0.4, y - 13), (x + w + 2, y - 2 * side)], closed=False)
        c.stroke(lid, taper(7), "#24130f")
        c.stroke(spline([(x - w * 0.7, y + 9), (x, y + 13), (x + w * 0.7, y + 9)], closed=False), taper(2.6), SKIN_DARK)
        inner, outer = x - 24 * side * near, x + 32 * side * near
        arch = spline([(inner, y - 24 + 12 * brow), (x + 4 * side, y - 37 + 5 * brow), (outer, y - 25 - 2 * brow)], closed=False)
        c.stroke(arch, lambda t: 13 * (0.95 - 0.75 * t * t), HAIR)
    # the scar through his left brow, always on the same side
    c.stroke([(48 + s, -84), (64 + s, -46)], taper(6), "#f6c9ae")
    c.stroke([(73 + s, -8), (82 + s, 18)], taper(4.5), "#f0bd9f", opacity=0.85)


def _nose(c: Canvas, s: float, light: int) -> None:
    away = -light
    c.fill(spline([(8 * away + s, -40), (6 * away + s * 1.2, 0), (20 * away + s * 1.3, 34), (8 * away + s, 42), (0 + s, 40), (2 * away + s, 0)]),
           SKIN_DARK, opacity=0.7, blur=1.2)
    c.stroke(spline([(2 * light + s, -30), (3 * light + s * 1.2, 4), (5 * light + s * 1.3, 26)], closed=False), taper(8), SKIN_LIGHT, opacity=0.8, blur=1.5)
    c.fill(ellipse(4 * light + s * 1.3, 27, 8, 6), "#ffe2c4", opacity=0.65, blur=2)
    c.stroke(spline([(-19 + s * 1.2, 34), (-12 + s * 1.2, 42), (0 + s * 1.2, 44), (12 + s * 1.2, 42), (19 + s * 1.2, 34)], closed=False),
             taper(5), mix(SKIN_DARK, "#2a120c", 0.5))


def shoulders(c: Canvas, *, strap: bool = True) -> None:
    """Cloak, tunic and strap below the head, down to y = 760."""
    cloak = spline([(-150, 214), (-330, 300), (-448, 420), (-520, 620), (-560, 900), (560, 900), (520, 620), (448, 420), (330, 300), (150, 214)])
    c.fill(cloak, linear((-420, 250), (380, 760), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    for x0, x1, x2, w in ((-190, -300, -330, 46), (-260, -400, -450, 34), (210, 330, 372, 50), (280, 424, 470, 40), (-150, -210, -220, 30), (150, 220, 250, 34)):
        line = spline([(x0, 270), (x1, 470), (x2, 760), (x2, 900)], closed=False)
        c.fill(ribbon(line, taper(w)), CLOAK_DARK, opacity=0.5, blur=7, clip=cloak)
        line = spline([(x0 - 22, 270), (x1 - 30, 470), (x2 - 36, 760)], closed=False)
        c.fill(ribbon(line, taper(w * 0.5)), CLOAK_LIGHT, opacity=0.4, blur=6, clip=cloak)
    tunic = spline([(-112, 250), (0, 300), (112, 250), (150, 480), (210, 900), (-210, 900), (-150, 480)])
    c.fill(tunic, linear((-150, 300), (160, 700), "#8d6a4a", "#5c402d", "#33231b"))
    c.stroke(spline([(0, 290), (4, 520), (0, 900)], closed=False), 6, "#2a1a12", opacity=0.8)
    for y in range(350, 880, 62):
        c.stroke([(-22, y), (26, y + 26)], 6, COPPER, opacity=0.9)
        c.stroke([(26, y), (-22, y + 26)], 6, mix(COPPER, "#000000", 0.3), opacity=0.9)
    if strap:
        belt = spline([(-180, 360), (-80, 480), (120, 720), (220, 880)], closed=False)
        c.fill(ribbon(belt, 62), "#1a0f0a", opacity=0.4, blur=9)
        c.fill(ribbon(belt, 54), linear((-220, 300), (200, 860), LEATHER_LIGHT, LEATHER, LEATHER_DARK))
        for off in (-20, 20):
            c.stroke([(x + off * 0.8, y - off * 0.6) for x, y in belt], 2.6, COPPER_LIGHT, opacity=0.55)
        with c.at(-14, 560, turn=-38):
            c.fill(spline([(-36, -34, "c"), (36, -34, "c"), (36, 34, "c"), (-36, 34, "c")]), linear((-36, -36), (36, 36), COPPER_LIGHT, COPPER, "#6f3517"))
            c.fill(spline([(-20, -20, "c"), (20, -20, "c"), (20, 20, "c"), (-20, 20, "c")]), LEATHER_DARK)
            c.fill([(-4, -26), (6, -26), (6, 26), (-4, 26)], COPPER_LIGHT)
    for side in (-1, 1):  # the cloak's two edges
        edge = spline([(74 * side, 268), (130 * side, 420), (214 * side, 700), (260 * side, 900)], closed=False)
        c.fill(ribbon(edge, 60), "#0a1512", opacity=0.35, blur=14, clip=tunic)
        lapel = spline([(60 * side, 262, "c"), (150 * side, 240), (290 * side, 420), (330 * side, 900, "c"), (222 * side, 900, "c"), (180 * side, 660), (120 * side, 440)])
        c.fill(lapel, linear((-300, 300), (320, 800), mix(CLOAK_LIGHT, CLOAK, 0.4), CLOAK, CLOAK_DARK))
    brooch(c)


def brooch(c: Canvas) -> None:
    """The copper leaf at his throat: the mark he is known by."""
    with c.at(0, 292):
        leaf = spline([(0, -46, "c"), (30, -18), (38, 14), (0, 62, "c"), (-38, 14), (-30, -18)])
        c.fill(leaf, "#08110e", opacity=0.55, blur=7)
        c.fill(leaf, linear((-36, -40), (36, 56), COPPER_LIGHT, COPPER, "#6f3517"))
        c.stroke([(0, -34), (0, 56)], 4, "#6f3517")
        for y in (-14, 6, 26):
            for side in (-1, 1):
                c.stroke([(0, y + 12), (22 * side, y - 4)], 3, "#7c3d1a", opacity=0.9)
        c.stroke(spline([(-24, -14), (-29, 8), (-14, 34)], closed=False), taper(5), "#fff0d8", opacity=0.85)


def bust(c: Canvas, *, turn: float = 0.0, light: int = -1, brow: float = 0.0, look: float = 0.0, strap: bool = True) -> None:
    """Head and shoulders from the front."""
    quiver(c)
    shoulders(c, strap=strap)
    head(c, turn=turn, light=light, brow=brow, look=look)
    brooch(c)


def head(c: Canvas, *, turn: float = 0.0, light: int = -1, brow: float = 0.0, look: float = 0.0) -> None:
    """The hooded head."""
    c.fill([(x * 1.02, y + 26) for x, y in HOOD], "#05100d", opacity=0.45, blur=18, clip=[(-160, 205), (160, 205), (310, 300), (310, 460), (-310, 460), (-310, 300)])
    hood(c)
    with c.at(turn * 12, 0):
        face(c, turn=turn, light=light, brow=brow, look=look)
    c.fill(spline([(-110, 196), (0, 178), (110, 196), (96, 240), (0, 276), (-96, 240)]), LINING, opacity=0.85, blur=6, clip=OPENING)
    hood_rim(c)


def quiver(c: Canvas) -> None:
    """Arrows over his right shoulder."""
    for x, y, turn in ((250, 60, 16), (300, 80, 22), (214, 76, 10), (270, 110, 26)):
        with c.at(x, y, turn=turn):
            c.stroke([(0, 0), (0, 320)], 9, WOOD)
            for side in (-1, 1):
                feather = spline([(0, -6, "c"), (26 * side, 14), (28 * side, 92), (0, 120, "c")])
                c.fill(feather, linear((0, 0), (26 * side, 110), "#e9dcc3", "#b9553a" if side > 0 else "#d9cbb0"))
                for k in range(5):
                    c.stroke([(0, 22 + k * 18), (25 * side, 12 + k * 18)], 2, "#6d4a3a", opacity=0.5)


def bow(c: Canvas, *, height: float = 900, pull: float = 0.0, arrow: bool = False) -> None:
    """A recurve bow seen from the side, grip at (0, 0), string on the left; pull is how far it is drawn (units)."""
    h = height / 2
    bend = pull * 0.32
    limb = spline([(-96 - bend, -h), (-70 - bend * 0.9, -h * 0.93), (-52 - bend * 0.6, -h * 0.8), (-8 - bend * 0.15, -h * 0.45), (10, -h * 0.14), (4, 0),
                   (10, h * 0.14), (-8 - bend * 0.15, h * 0.45), (-52 - bend * 0.6, h * 0.8), (-70 - bend * 0.9, h * 0.93), (-96 - bend, h)], closed=False)
    tips = ((-74 - bend * 0.92, -h * 0.945), (-74 - bend * 0.92, h * 0.945))
    middle = (-74 - pull if pull else -74 - bend * 0.92, 0.0)
    c.stroke([tips[0], middle, tips[1]], 4, "#efe6d0")
    if arrow:
        c.stroke([(middle[0], 0), (96, 0)], 8, linear((0, -4), (0, 4), WOOD_LIGHT, WOOD_DARK))
        c.fill([(92, -15), (140, 0), (92, 15), (104, 0)], linear((90, -14), (130, 14), "#f4f6f4", "#6f7d84"))
        for side in (-1, 1):
            c.fill(spline([(middle[0] + 8, 0, "c"), (middle[0] + 2, 22 * side), (middle[0] + 66, 22 * side), (middle[0] + 96, 0, "c")]),
                   "#e9dcc3" if side < 0 else "#b9553a")
    c.fill(ribbon(limb, lambda t: 13 + 25 * (1 - abs(2 * t - 1)) ** 0.7), linear((-60, 0), (20, 0), WOOD_LIGHT, WOOD, WOOD_DARK))
    c.stroke([(x + 3, y) for x, y in limb], taper(6), "#ffdca6", opacity=0.5)
    grip = [p for p in limb if abs(p[1]) < h * 0.15]
    c.stroke(grip, 42, linear((-20, 0), (24, 0), LEATHER_LIGHT, LEATHER_DARK))
    for k in range(-3, 4):
        y = k * h * 0.042
        c.stroke([(-16, y + 8), (26, y - 8)], 4, "#2a1710", opacity=0.7)
    for sign in (-1, 1):
        c.stroke([p for p in limb if 0.16 * h < sign * p[1] < 0.2 * h], 38, COPPER)
        c.stroke([p for p in limb if 0.76 * h < sign * p[1] < 0.8 * h], 26, COPPER)


def fist(c: Canvas, *, light: int = -1) -> None:
    """A gloved fist, 130 wide."""
    palm = spline([(-58, -52), (40, -62), (66, -30), (66, 40), (30, 66), (-50, 60), (-68, 4)])
    c.fill(palm, linear((60 * light, -60), (-60 * light, 60), LEATHER_LIGHT, LEATHER, LEATHER_DARK))
    for i, y in enumerate((-40, -12, 16, 42)):
        finger = spline([(-30, y - 14), (44, y - 16), (70, y - 2), (46, y + 14), (-30, y + 14), (-42, y)])
        c.fill(finger, linear((0, y - 16), (0, y + 16), mix(LEATHER_LIGHT, "#ffffff", 0.06 * (3 - i)), LEATHER, LEATHER_DARK))
        c.stroke(spline([(-34, y + 14), (20, y + 16), (56, y + 10)], closed=False), taper(4), "#24130c", opacity=0.8)
