"""Kael's whole body: standing, seen from behind, by the fire, drawing the bow. Units as in ranger."""

# A line is a stroke: broken up, a drawing cannot be read any more.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from art.brush import Canvas, Point, ellipse, flat, linear, mix, radial, ribbon, spline, taper
from art.ranger import (
    CLOAK,
    CLOAK_DARK,
    CLOAK_LIGHT,
    COPPER,
    COPPER_LIGHT,
    HAIR,
    HAIR_LIGHT,
    HOOD,
    LEATHER,
    LEATHER_DARK,
    LEATHER_LIGHT,
    LINING,
    SKIN,
    SKIN_DARK,
    SKIN_LIGHT,
    bow,
    brooch,
    fist,
    head,
    quiver,
)

TROUSERS, TROUSERS_DARK = "#4a4238", "#2a2622"
TUNIC = ("#97714e", "#6a4a34", "#3d2a20")


def sleeve(c: Canvas, joints: list[tuple[float, float]], width: float = 104) -> None:
    """An arm: sleeve to the elbow, leather bracer to the wrist."""
    upper = spline(joints, closed=False)
    c.fill(ribbon(upper, lambda t: width * (1.02 - 0.36 * t)), linear(joints[0], joints[-1], *TUNIC[:2]))
    c.stroke(upper, taper(width * 0.3), TUNIC[2], opacity=0.5, blur=6)
    bracer = upper[int(len(upper) * 0.58) :]
    c.fill(ribbon(bracer, lambda t: width * (0.92 - 0.18 * t)), linear(bracer[0], bracer[-1], LEATHER_LIGHT, LEATHER, LEATHER_DARK))
    for share in (0.15, 0.5, 0.85):
        x, y = bracer[int(share * (len(bracer) - 1))]
        c.fill(ellipse(x, y, width * 0.1, width * 0.1), COPPER)


def leg(c: Canvas, hip: Point, knee: Point, heel: Point, *, toe: int = 1) -> None:
    """Trousers and a high boot; toe says to which side the foot points (0: towards us)."""
    line = spline([hip, knee, heel], closed=False)
    c.fill(ribbon(line, lambda t: 150 - 52 * t), linear(hip, heel, TROUSERS, TROUSERS_DARK))
    boot = line[int(len(line) * 0.56) :]
    c.fill(ribbon(boot, lambda t: 128 - 26 * t), linear((heel[0] - 60, 0), (heel[0] + 70, 0), LEATHER_LIGHT, LEATHER, LEATHER_DARK))
    c.stroke(boot[:6], 142, linear((heel[0] - 70, 0), (heel[0] + 80, 0), LEATHER, LEATHER_DARK))
    x, y = heel
    reach = 96 * toe
    foot = spline([(x - 52, y - 70), (x + 52, y - 70), (x + 54 + max(reach, 0), y + 10), (x + 50 + max(reach, 0), y + 44, "c"),
                   (x - 50 + min(reach, 0), y + 44, "c"), (x - 54 + min(reach, 0), y + 10)])
    c.fill(foot, linear((x - 50, y - 60), (x + 60, y + 44), LEATHER, LEATHER_DARK))
    c.stroke([(x - 54 + min(reach, 0), y + 42), (x + 54 + max(reach, 0), y + 42)], 12, "#1c110b")


def tunic(c: Canvas) -> None:
    """Tunic with belt, buckle and pouch, from the shoulders to mid-thigh."""
    body = spline([(-178, 270), (178, 270), (196, 520), (176, 760), (236, 1010, "c"), (150, 980, "c"), (70, 1030, "c"), (0, 985, "c"),
                   (-80, 1030, "c"), (-160, 980, "c"), (-236, 1010, "c"), (-176, 760), (-196, 520)])
    c.fill(body, linear((-200, 300), (220, 900), *TUNIC))
    for x0, x1, w in ((-120, -170, 34), (40, 60, 30), (130, 180, 34)):
        c.fill(ribbon(spline([(x0, 780), (x1, 1000)], closed=False), taper(w)), TUNIC[2], opacity=0.55, blur=6, clip=body)
    strap = spline([(-190, 300), (-20, 520), (176, 770)], closed=False)
    c.stroke(strap, 50, linear((-190, 300), (176, 770), LEATHER_LIGHT, LEATHER_DARK), clip=body)
    c.fill(spline([(-186, 720), (0, 738), (186, 720), (188, 786), (0, 804), (-188, 786)]), linear((-180, 0), (180, 0), LEATHER_LIGHT, LEATHER, LEATHER_DARK))
    c.fill([(-44, 722), (44, 722), (44, 806), (-44, 806)], linear((-44, 722), (44, 806), COPPER_LIGHT, COPPER, "#6f3517"))
    c.fill([(-22, 742), (22, 742), (22, 786), (-22, 786)], LEATHER_DARK)
    c.fill(spline([(92, 790), (168, 784), (178, 880), (130, 906), (88, 880)]), linear((90, 790), (170, 900), LEATHER, LEATHER_DARK))
    c.fill(spline([(88, 786), (172, 780), (170, 836), (130, 850), (90, 836)]), linear((90, 780), (170, 850), LEATHER_LIGHT, LEATHER))
    c.fill(ellipse(130, 838, 9, 9), COPPER_LIGHT)


def mantle(c: Canvas) -> None:
    """The cloak's shoulders, over the arms."""
    shape = spline([(-140, 216), (-286, 290), (-350, 420), (-352, 560, "c"), (-240, 500), (-120, 440), (0, 330, "c"), (120, 440),
                    (240, 500), (352, 560, "c"), (350, 420), (286, 290), (140, 216)])
    c.fill([(x, y + 22) for x, y in shape], "#0a1512", opacity=0.5, blur=14)
    c.fill(shape, linear((-340, 240), (320, 560), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    for x0, x1, w in ((-190, -270, 30), (-120, -150, 20), (200, 284, 32), (126, 160, 22)):
        c.fill(ribbon(spline([(x0, 260), (x1, 520)], closed=False), taper(w)), CLOAK_DARK, opacity=0.55, blur=5, clip=shape)


def cloak_back(c: Canvas, sway: float = 0.0, hem: float = 1380) -> None:
    """The cloak hanging behind him."""
    shape = spline([(-170, 230), (-310, 380), (-390 + sway * 0.3, 820), (-450 + sway, hem - 40, "c"), (-260 + sway, hem + 10), (-60 + sway, hem - 30),
                    (160 + sway, hem + 14), (450 + sway, hem - 50, "c"), (390 + sway * 0.3, 820), (310, 380), (170, 230)])
    c.fill(shape, linear((-400, 300), (420, 1300), CLOAK, CLOAK_DARK, LINING))
    for x in (-320, -230, 240, 330):
        c.fill(ribbon(spline([(x * 0.8, 420), (x, 900), (x * 1.1 + sway, hem)], closed=False), taper(50)), "#0b1a16", opacity=0.6, blur=10, clip=shape)


def standing(c: Canvas, *, turn: float = 0.2, light: int = -1, sway: float = 0.0, stride: float = 0.0) -> None:
    """From the front, the bow in his left hand."""
    quiver(c)
    cloak_back(c, sway)
    leg(c, (-84, 900), (-104 - stride * 0.4, 1180), (-118 - stride, 1470), toe=-1 if stride else 0)
    leg(c, (84, 900), (104 + stride * 0.6, 1180), (122 + stride * 0.3, 1490), toe=1 if stride else 0)
    tunic(c)
    sleeve(c, [(-236, 340), (-318, 560), (-296, 660), (-170, 752)])
    with c.at(-150, 756, size=0.72, turn=20):
        fist(c, light=light)
    sleeve(c, [(236, 340), (318, 560), (352, 720), (378, 850)])
    with c.at(404, 900, turn=5, flip=True):
        bow(c, height=1260)
        with c.at(0, 0, size=0.84):
            fist(c, light=light)
    mantle(c)
    head(c, turn=turn, light=light)
    brooch(c)


def from_behind(c: Canvas, *, sway: float = 0.0) -> None:
    """From behind, looking away; the wind has his cloak."""
    leg(c, (-84, 900), (-104, 1180), (-128, 1480), toe=-1)
    leg(c, (84, 900), (104, 1180), (128, 1480), toe=1)
    shape = spline([(-130, 190), (-290, 300), (-370, 520), (-380 + sway * 0.2, 900), (-330 + sway * 0.6, 1330, "c"), (-120 + sway * 0.7, 1270), (60 + sway, 1360),
                    (260 + sway * 1.2, 1290), (470 + sway * 1.5, 1240, "c"), (430 + sway * 0.7, 900), (372, 520), (290, 300), (130, 190)])
    c.fill(shape, linear((-380, 300), (420, 1100), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    for x, w in ((-250, 46), (-130, 34), (10, 50), (140, 36), (270, 50)):
        fold = spline([(x * 0.7, 360), (x, 760), (x * 1.1 + sway * 0.8, 1320)], closed=False)
        c.fill(ribbon(fold, taper(w * 1.4)), CLOAK_DARK, opacity=0.75, blur=8, clip=shape)
        c.fill(ribbon([(px - w * 0.8, py) for px, py in fold], taper(w * 0.5)), CLOAK_LIGHT, opacity=0.5, blur=7, clip=shape)
    with c.at(40, 560, turn=24):  # the quiver
        for x in (-34, -6, 22, 44):
            c.stroke([(x, -330), (x, -120)], 9, "#8a5a33")
            for side in (-1, 1):
                c.fill(spline([(x, -372, "c"), (x + 22 * side, -350), (x + 24 * side, -280), (x, -254, "c")]), "#e9dcc3" if side < 0 else "#b9553a")
        case = spline([(-66, -190, "c"), (72, -190, "c"), (52, 250), (0, 282), (-48, 250)])
        c.fill(case, "#08110e", opacity=0.5, blur=14)
        c.fill(case, linear((-66, 0), (72, 0), LEATHER_LIGHT, LEATHER, LEATHER_DARK))
        for y in (-180, -60, 190):
            c.stroke([(-66 + (y + 190) * 0.03, y), (72 - (y + 190) * 0.04, y)], 26, COPPER if y < -100 else LEATHER_DARK)
    with c.at(-60, 640, turn=-32):
        bow(c, height=1180)
    c.fill([(x * 1.02, y + 26) for x, y in HOOD], "#05100d", opacity=0.45, blur=18, clip=[(-160, 205), (160, 205), (310, 320), (310, 460), (-310, 460), (-310, 320)])
    c.fill(HOOD, linear((-230, -240), (230, 260), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    c.stroke(spline([(22, -312), (-6, -160), (0, 60), (0, 330)], closed=False), taper(9), CLOAK_DARK, opacity=0.9)
    for side in (-1, 1):
        for x0, x1, w in ((70, 150, 26), (120, 190, 18)):
            c.fill(ribbon(spline([(x0 * side, -250), (x1 * side, -40), (x0 * side, 270)], closed=False), taper(w)), CLOAK_DARK, opacity=0.5, blur=5, clip=HOOD)


def by_the_fire(c: Canvas, *, turn: float = -0.7, light: int = -1) -> None:
    """Sitting on a log, hands held to the warmth, from the front."""
    cloak = spline([(-150, 220), (-320, 330), (-420, 620), (-520, 1040, "c"), (-200, 1090), (200, 1090), (520, 1040, "c"), (420, 620), (320, 330), (150, 220)])
    c.fill(cloak, linear((-420, 260), (460, 1000), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    for x, w in ((-380, 56), (-280, 44), (300, 56), (400, 44)):
        c.fill(ribbon(spline([(x * 0.75, 400), (x, 760), (x * 1.15, 1080)], closed=False), taper(w)), CLOAK_DARK, opacity=0.7, blur=9, clip=cloak)
    body = spline([(-170, 280), (170, 280), (200, 560), (230, 800), (-230, 800), (-200, 560)])
    c.fill(body, linear((-200, 300), (220, 780), *TUNIC))
    c.stroke(spline([(-160, 330), (-10, 520), (160, 730)], closed=False), 50, linear((-160, 330), (160, 730), LEATHER_LIGHT, LEATHER_DARK), clip=body)
    for side in (-1, 1):
        thigh = spline([(40 * side, 700), (190 * side, 690), (262 * side, 780), (230 * side, 900), (90 * side, 900)])
        c.fill(thigh, linear((-260, 680), (260, 900), mix(TROUSERS, "#ffffff", 0.1), TROUSERS, TROUSERS_DARK))
        shin = spline([(176 * side, 800), (196 * side, 980), (214 * side, 1160)], closed=False)
        c.fill(ribbon(shin, lambda t: 146 - 40 * t), linear((-270, 0), (270, 0), LEATHER_LIGHT, LEATHER, LEATHER_DARK))
        c.stroke(shin[:7], 160, linear((-280, 0), (280, 0), LEATHER, LEATHER_DARK))
        toe = spline([(150 * side, 1130), (270 * side, 1130), (310 * side, 1206), (298 * side, 1236, "c"), (150 * side, 1236, "c")])
        c.fill(toe, linear((-300, 1120), (300, 1240), LEATHER, LEATHER_DARK))
    sleeve(c, [(-240, 350), (-352, 570), (-300, 690), (-156, 640)])
    sleeve(c, [(240, 350), (340, 570), (230, 700), (30, 668)])
    with c.at(-112, 626, size=0.74, turn=-24):
        fist(c, light=light)
    with c.at(-16, 668, size=0.74, turn=-18, flip=True):
        fist(c, light=-light)
    mantle(c)
    head(c, turn=turn, light=light)
    brooch(c)


def profile_head(c: Canvas) -> None:
    """The hooded head from the side, looking right."""
    back = spline([(86, -206), (10, -286), (-96, -268, "c"), (-150, -150), (-160, 20), (-120, 160), (-160, 300), (-60, 340), (100, 330), (84, 180), (60, 0), (100, -110)])
    c.fill(back, linear((60, -200), (-220, 200), "#1c3a31", LINING, "#081411"))
    neck = spline([(-60, 80), (50, 110), (60, 270), (-90, 270)])
    c.fill(neck, linear((0, 100), (0, 250), mix(SKIN_DARK, "#000000", 0.4), SKIN_DARK))
    face = spline([(28, -160), (72, -128), (88, -74), (88, -44), (84, -30), (104, 4), (124, 34), (117, 45), (94, 50), (100, 62), (104, 70), (94, 77), (102, 88), (98, 98),
                   (102, 124), (88, 158), (46, 166), (-40, 120), (-80, 20), (-70, -110)])
    c.fill(face, linear((110, 0), (-70, 30), SKIN_LIGHT, SKIN, SKIN_DARK))
    c.fill(spline([(-80, -170), (28, -170), (70, -140), (80, -92), (40, -104), (10, -60), (-4, 10), (-12, 60), (-90, 60)]),
           linear((60, -160), (-60, 40), mix(HAIR, HAIR_LIGHT, 0.5), HAIR))
    beard = spline([(-30, 0), (-6, 50), (30, 72), (66, 62), (88, 52), (112, 58), (104, 70), (84, 76), (104, 90), (112, 130), (96, 178), (46, 190), (-30, 150), (-60, 60)])
    c.fill(beard, linear((110, 60), (-40, 160), HAIR_LIGHT, HAIR, mix(HAIR, "#000000", 0.3)))
    for x in range(0, 100, 13):
        c.stroke(spline([(x - 6, 96), (x + 6, 130), (x - 2, 172)], closed=False), taper(4), HAIR_LIGHT, opacity=0.55)
    c.stroke(spline([(58, 80), (80, 77), (98, 77)], closed=False), taper(6), "#4a1f1a")
    c.fill(ellipse(54, -22, 30, 22), SKIN_DARK, opacity=0.5, blur=8, clip=face)
    eye = spline([(34, -20), (52, -32), (72, -24), (70, -12), (50, -12)])
    c.fill(eye, "#efe5d2")
    c.fill(ellipse(63, -21, 8, 11), radial((63, -18), 12, "#ffc24a", "#c77a1c", "#6b3510"), clip=eye)
    c.fill(ellipse(66, -21, 3.6, 5), "#140b08", clip=eye)
    c.stroke(spline([(28, -20), (50, -34), (76, -26)], closed=False), taper(7), "#24130f")
    c.stroke(spline([(24, -48), (56, -60), (86, -46)], closed=False), taper(15), HAIR)
    c.stroke(spline([(100, 40), (106, 34), (104, 26)], closed=False), taper(4), mix(SKIN_DARK, "#2a120c", 0.5))
    hood_side = spline([(92, -214, "c"), (20, -292), (-100, -280), (-214, -190, "c"), (-200, -60), (-196, 60), (-168, 170), (-270, 300), (-180, 380), (70, 350), (76, 262, "c"),
                        (30, 200), (-26, 110), (-34, 0), (4, -110), (60, -170)])
    c.fill(hood_side, linear((80, -260), (-220, 240), mix(CLOAK_LIGHT, "#ffffff", 0.08), CLOAK, CLOAK_DARK))
    for knots, w in (([(40, -250), (-90, -200), (-150, -20), (-130, 200)], 30), ([(0, -240), (-60, -120), (-80, 60), (-40, 260)], 24), ([(-120, -260), (-180, -80), (-170, 120)], 22)):
        c.fill(ribbon(spline(knots, closed=False), taper(w)), CLOAK_DARK, opacity=0.55, blur=6, clip=hood_side)
    edge = spline([(92, -214), (60, -170), (4, -110), (-34, 0), (-26, 110), (30, 200), (76, 262)], closed=False)
    c.stroke(edge, 24, linear((90, -200), (-30, 200), mix(CLOAK_LIGHT, "#ffffff", 0.15), CLOAK, CLOAK_DARK), clip=hood_side)
    for i in range(3, len(edge) - 4, 6):
        c.stroke([(edge[i][0] - 18, edge[i][1]), (edge[i + 3][0] - 18, edge[i + 3][1])], 3.4, COPPER, opacity=0.9)


def archer(c: Canvas) -> None:
    """From the side, bow drawn to the cheek, down to the waist."""
    cloak = spline([(-110, 210), (-250, 300), (-360, 520), (-470, 900), (-560, 1240, "c"), (120, 1240, "c"), (60, 700), (20, 300)])
    c.fill(cloak, linear((-80, 260), (-460, 1100), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    for x, w in ((-120, 40), (-200, 52), (-290, 46)):
        c.fill(ribbon(spline([(x * 0.6, 330), (x * 1.1, 740), (x * 1.55, 1240)], closed=False), taper(w)), CLOAK_DARK, opacity=0.7, blur=9, clip=cloak)
    body = spline([(-110, 260), (90, 270), (150, 420), (140, 640), (120, 820), (170, 1240, "c"), (-190, 1240, "c"), (-110, 820), (-130, 560)])
    c.fill(body, linear((150, 300), (-130, 700), *TUNIC))
    strap = spline([(-90, 380), (30, 560), (150, 760)], closed=False)
    c.stroke(strap, 60, "#1a0f0a", opacity=0.4, blur=8, clip=body)
    c.stroke(strap, 52, linear((-90, 380), (150, 760), LEATHER_LIGHT, LEATHER, LEATHER_DARK), clip=body)
    for off in (-19, 19):
        c.stroke([(x + off * 0.85, y - off * 0.55) for x, y in strap], 2.6, COPPER_LIGHT, opacity=0.55, clip=body)
    c.fill(spline([(-120, 800), (10, 826), (136, 806), (138, 868), (10, 890), (-124, 864)]), linear((130, 0), (-120, 0), LEATHER_LIGHT, LEATHER, LEATHER_DARK))
    c.fill([(84, 800), (132, 796), (134, 882), (86, 888)], COPPER)
    with c.at(470, 132):
        bow(c, height=1120, pull=300, arrow=True)
    sleeve(c, [(40, 330), (160, 250), (300, 170), (440, 138)], 100)
    with c.at(468, 132, size=0.8):
        fist(c, light=1)
    profile_head(c)
    sleeve(c, [(-90, 396), (-256, 316), (-262, 214), (20, 132)], 112)
    with c.at(72, 130, size=0.66):
        fist(c, light=1)
    cape = spline([(70, 292), (84, 330), (40, 392), (-40, 430), (-150, 470, "c"), (-214, 400), (-236, 320), (-180, 286), (-80, 320)])
    c.fill([(x, y + 14) for x, y in cape], "#0a1512", opacity=0.45, blur=12)
    c.fill(cape, linear((70, 280), (-200, 460), CLOAK_LIGHT, CLOAK, CLOAK_DARK))
    for knots in ([(40, 320), (-60, 370), (-140, 440)], [(-60, 330), (-130, 350), (-190, 400)]):
        c.fill(ribbon(spline(knots, closed=False), taper(22)), CLOAK_DARK, opacity=0.6, blur=5, clip=cape)
    with c.at(58, 40, size=0.8):
        brooch(c)


def lantern(c: Canvas) -> None:
    """An iron lantern hanging from (0, 0), lit."""
    c.stroke([*ellipse(0, 34, 34, 34), (34, 34)], 8, "#2b2f36")
    c.fill(spline([(-56, 120, "c"), (-20, 66), (20, 66), (56, 120, "c")]), linear((-56, 80), (56, 120), "#59616d", "#23262c"))
    glass = [(-50.0, 122.0), (50.0, 122.0), (62.0, 280.0), (-62.0, 280.0)]
    c.fill(glass, radial((0, 220), 120, "#fffbe0", "#ffd76a", "#f08a24"))
    c.fill(spline([(0, 150, "c"), (26, 214), (18, 256), (0, 264), (-18, 256), (-26, 214)]), flat("#fffdf0"), blur=3)
    for x in (-54, 0, 54):
        c.stroke([(x * 0.93, 120), (x * 1.12, 284)], 8, "#23262c")
    c.fill([(-74, 278), (74, 278), (66, 312), (-66, 312)], linear((-70, 280), (70, 312), "#59616d", "#1b1d22"))
