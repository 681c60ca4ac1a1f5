"""Pixels: decoded one large picture at a time, no more than a run may, and reduced before colours are converted."""

from __future__ import annotations

import io
import os
import select
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_limits import MOST_IMAGES
from scenario_apply.dataset.scan import (
    build_dataset as making,
)
from scenario_apply.dataset.scan import (
    decoding,
)
from scenario_apply.dataset.scan import (
    pillow_images as pictures,
)
from scenario_apply.dataset.scan import (
    read_images as reading,
)
from scenario_apply.dataset.scan.decoding import (
    LARGE_PIXELS,
    DecodingAllowance,
    decoding_turn,
    turns_between_processes,
)
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.pillow_images import NotDecoded, PixelSummary, read_pixels
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.loader.data_guard import DataGuard
from tests.dataset.build import make_picture, picture
from tests.dataset.scan.test_scanner import codes, grow_old, make, scan_many, scan_one, spec

MOMENT_S = 0.2  # a wait for what must not happen; it only ever delays a failure


def look(path: Path) -> PixelSummary:
    return read_pixels(path.read_bytes(), DecodingAllowance())


def test_threads_take_turns_with_large_pictures_only() -> None:
    """A large picture waits while another one is being decoded; small ones do not."""
    large, small = threading.Event(), threading.Event()

    def enter(pixels: int, entered: threading.Event) -> None:
        with decoding_turn(pixels):
            entered.set()

    with decoding_turn(LARGE_PIXELS + 1):
        threads = [threading.Thread(target=enter, args=(LARGE_PIXELS + 1, large))]
        threads.append(threading.Thread(target=enter, args=(LARGE_PIXELS, small)))
        for thread in threads:
            thread.start()
        assert small.wait(10)
        assert not large.wait(MOMENT_S)
    for thread in threads:
        thread.join(10)
    assert large.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking a test process that has threads
def test_processes_take_turns_with_large_pictures() -> None:
    """A forked child waits while its parent decodes a large picture."""
    go_read, go_write = os.pipe()
    done_read, done_write = os.pipe()
    with turns_between_processes():
        child = os.fork()
        if child == 0:
            os.read(go_read, 1)
            with decoding_turn(LARGE_PIXELS + 1):
                os.write(done_write, b"x")
            os._exit(0)
        with decoding_turn(LARGE_PIXELS + 1):
            os.write(go_write, b"x")
            assert not select.select([done_read], [], [], MOMENT_S)[0]
        assert os.read(done_read, 1) == b"x"
        assert os.waitpid(child, 0)[1] == 0
    for handle in (go_read, go_write, done_read, done_write):
        os.close(handle)


def test_what_a_run_decodes_grows_with_the_bytes_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is shared when the work is."""
    monkeypatch.setattr(decoding, "_FREE_PIXELS", 1_000_000)
    allowance = DecodingAllowance()
    assert not allowance.take(1_000_001)
    assert allowance.take(1_000_000)
    assert allowance.is_spent
    allowance.earn(200_000)
    allowance.share(2)
    assert not allowance.take(1_000_001)
    assert allowance.take(1_000_000)


def test_a_deep_scan_stops_decoding_reports_it_and_continues_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small files of many pixels are not decoded without end; nothing of the dataset is lost by it."""
    make(tmp_path)
    monkeypatch.setattr(decoding, "_FREE_PIXELS", 2 * 1024 * 1024)
    monkeypatch.setattr(decoding, "_PIXELS_A_BYTE", 0)
    said = []
    for _ in range(3):
        found = scan_one(tmp_path, deep=True)
        assert found.image_count == 5
        said.append([p.message.partition(":")[0] for p in found.problems if p.code == "F10"])
    assert said == [["3 of 5 images were not compared"], ["1 of 5 images were not compared"], []]
    spent = DecodingAllowance()
    assert spent.take(2 * 1024 * 1024)
    with pytest.raises(NotDecoded):
        read_pixels((tmp_path / "set" / "0.png").read_bytes(), spent)


def test_pictures_without_an_end_are_not_decoded_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain scan decodes files that look cut off; over the limit they are errors without that."""
    make(tmp_path)
    for at in range(5):
        path = tmp_path / "set" / f"{at}.png"
        path.write_bytes(path.read_bytes()[:-12])
    monkeypatch.setattr(decoding, "_FREE_PIXELS", 2 * 1024 * 1024)
    monkeypatch.setattr(decoding, "_PIXELS_A_BYTE", 0)
    wrong = [p for p in scan_one(tmp_path).problems if p.code == "F02"]
    assert [str(p.location) for p in wrong] == ["set/2.png", "set/3.png", "set/4.png"]
    assert "no end marker" in wrong[0].message


@pytest.mark.parametrize("deep", [False, True])
def test_a_picture_over_the_limit_is_an_error_and_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deep: bool
) -> None:
    """Its size and the limit are named, at its file; Pillow does not see it."""
    make(tmp_path, count=4)
    out = io.BytesIO()
    Image.new("1", (7200, 7200)).save(out, "PNG")
    (tmp_path / "set" / "4.png").write_bytes(out.getvalue())
    (tmp_path / "set" / "4.txt").write_text("drawing a bow")
    real = Image.open

    def guarded(file: Any, **options: Any) -> Any:
        image = real(file, **options)
        assert image.width < 7200
        return image

    monkeypatch.setattr(Image, "open", guarded)
    (problem,) = [p for p in scan_one(tmp_path, deep=deep).problems if p.code == "F10"]
    assert (problem.severity, str(problem.location)) == ("error", "set/4.png")
    assert problem.message == "7200x7200: 51.8 megapixels, at most 50 are read"
    with pytest.raises(pictures.DamagedPicture, match="at most 50"):
        pictures.verify(out.getvalue())


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "I;16", "1", "CMYK"])
def test_pictures_are_reduced_before_their_colours_are_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """No second copy of a large picture is made: what is converted is a strip, or small already."""
    kind = "TIFF" if mode == "CMYK" else "PNG"
    path = tmp_path / "a"
    Image.linear_gradient("L").resize((2600, 1900)).convert(mode).save(path, kind)
    converted: list[int] = []
    real = Image.Image.convert

    def noting(self: Image.Image, *given: Any, **options: Any) -> Image.Image:
        converted.append(self.width * self.height)
        return real(self, *given, **options)

    monkeypatch.setattr(Image.Image, "convert", noting)
    look(path)
    assert converted
    assert max(converted) <= 2600 * 1900 // 10


def test_a_look_is_the_same_in_every_format_and_size(tmp_path: Path) -> None:
    """Reducing first changes no hash that matters: the same picture stays the same."""
    looks = []
    for name, size, kind in (("a", 1024, "PNG"), ("b", 2048, "PNG"), ("c", 3000, "WEBP"), ("d", 1536, "TIFF")):
        (tmp_path / name).write_bytes(picture(seed=3, size=(size, size), kind=kind))
        looks.append(look(tmp_path / name))
    for other in looks[1:]:
        assert (int(looks[0].hashes[:32], 16) ^ int(other.hashes[:32], 16)).bit_count() <= 3
        assert pictures.colour_difference(looks[0].colours, other.colours).mean <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_turned_picture_is_looked_at_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    """As Pillow's exif_transpose turns it, without its reading of the whole EXIF block."""
    from PIL import ImageOps

    tags = Image.Exif()
    tags[0x0112] = orientation
    whole = Image.open(io.BytesIO(picture(seed=5, size=(640, 480))))
    whole.save(tmp_path / "turned", kind, exif=tags)
    with Image.open(tmp_path / "turned") as turned:
        ImageOps.exif_transpose(turned).convert("RGB").save(tmp_path / "upright", "PNG", exif=b"")
    one, other = look(tmp_path / "turned"), look(tmp_path / "upright")
    assert (int(one.hashes[:32], 16) ^ int(other.hashes[:32], 16)).bit_count() <= 3


def test_transparency_is_seen_in_any_strip(tmp_path: Path) -> None:
    """One pixel in the last line, in RGBA and by the transparent colour of a palette."""
    image = Image.new("RGBA", (900, 900), "red")
    image.save(tmp_path / "opaque", "PNG")
    image.putpixel((899, 899), (0, 0, 0, 0))
    image.save(tmp_path / "rgba", "PNG")
    image.quantize(8).save(tmp_path / "palette", "PNG")
    assert [look(tmp_path / name).transparent for name in ("opaque", "rgba", "palette")] == [False, True, True]


def test_sixteen_bits_of_grey_are_told_apart(tmp_path: Path) -> None:
    """They are scaled, not cut off at white."""
    looks = []
    for turn in (0, 90):
        ramp = Image.linear_gradient("L").resize((300, 300)).rotate(turn).convert("I")
        ramp.point(lambda value: value * 100 + 20_000).convert("I;16").save(tmp_path / "a", "PNG")
        looks.append(look(tmp_path / "a").hashes)
    assert looks[0] != looks[1]


def test_frames_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there is a second one is enough: a GIF can have a million."""
    from PIL import GifImagePlugin, TiffImagePlugin

    def refusing(self: Any) -> int:
        raise AssertionError("all frames were walked through")

    make(tmp_path, count=3)
    frames = [Image.new("RGB", (1024, 1024), colour) for colour in ("red", "blue", "green")]
    for name in ("3.gif", "4.tiff"):
        frames[0].save(tmp_path / "set" / name, save_all=True, append_images=frames[1:])
    monkeypatch.setattr(GifImagePlugin.GifImageFile, "n_frames", property(refusing))
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "n_frames", property(refusing))
    found = scan_one(tmp_path, spec(missing="auto"))
    assert [str(p.location) for p in found.problems if p.code == "F05"] == ["set/3.gif", "set/4.tiff"]


@pytest.mark.parametrize(
    "error", [MemoryError(), OverflowError("x"), SyntaxError("not a PNG"), EOFError(), TypeError("y"), RecursionError()]
)
def test_whatever_a_decoder_raises_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """In a plain scan, in a deep scan, and before an upload: never a traceback."""
    folder = make(tmp_path)
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:-12])

    def failing(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(Image, "open", failing)
    wrong = {str(p.location) for p in scan_one(tmp_path).problems if p.code == "F02"}
    assert wrong == {"set/2.png"}
    wrong = {str(p.location) for p in scan_one(tmp_path, deep=True).problems if p.code == "F02"}
    assert wrong == {f"set/{at}.png" for at in range(5)}
    with pytest.raises(pictures.DamagedPicture):
        pictures.verify((folder / "0.png").read_bytes())


def test_a_picture_damaged_while_it_is_compared_is_no_crash(tmp_path: Path) -> None:
    """Its colours are simply not known."""
    folder = make(tmp_path, count=3)
    make_picture(folder / "3.png", seed=0, size=(1100, 1100))
    grow_old(folder)
    assert "D02" in codes(scan_one(tmp_path, spec(missing="auto"), deep=True))
    entry = FileEntry("3.png", "set/3.png", 1, 1, 1)
    facts = reading.read_facts(DataGuard(str(tmp_path)), entry, DecodingAllowance())
    from scenario_apply.dataset.scan.image_similarity import SeenPixels, add_pixel_facts
    from scenario_apply.dataset.scan.parallel import in_this_thread

    known = {
        f"set/{at}.png": facts._replace(file=f"set/{at}.png", sha256=str(at) * 64, hashes="0" * 64) for at in (0, 3)
    }
    (folder / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = add_pixel_facts(DataGuard(str(tmp_path)), known, in_this_thread, DecodingAllowance(), SeenPixels())
    assert found.difference("set/0.png", "set/3.png") is None


def test_a_dataset_of_far_too_many_pictures_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its place in the manifest, before any file is opened; so are too many in all datasets together."""
    (tmp_path / "set").mkdir()
    for at in range(MOST_IMAGES + 1):
        (tmp_path / "set" / f"{at}.png").touch()
    monkeypatch.setattr(making, "read_facts", None)
    with pytest.raises(ManifestError, match=f"has {MOST_IMAGES + 1} images, at most {MOST_IMAGES}") as refused:
        scan_one(tmp_path)
    assert str(refused.value.problems[0].location) == "scenario.yaml:3"
    monkeypatch.setattr(making, "MOST_IMAGES_IN_ALL", 1500)
    (tmp_path / "set" / "0.png").unlink()
    one = spec()
    with pytest.raises(ManifestError, match="1500 images in total"):
        scan_many(tmp_path, {"one": one, "other": one})


def test_datasets_that_share_pictures_read_and_decode_them_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many datasets name the same folder, and though near-duplicates are compared in each."""
    folder = make(tmp_path, count=3)
    make_picture(folder / "3.png", seed=0, size=(1100, 1100))
    read: list[str] = []
    seen: list[int] = []

    def reads(guard: DataGuard, entry: Any, *others: Any) -> Any:
        read.append(entry.file)
        return reading.read_facts(guard, entry, *others)

    def looks(data: bytes, allowance: DecodingAllowance) -> PixelSummary:
        seen.append(len(data))
        return read_pixels(data, allowance)

    monkeypatch.setattr(making, "read_facts", reads)
    monkeypatch.setattr(pictures, "read_pixels", looks)
    specs = {name: spec(name=name, missing="auto") for name in ("one", "two", "three")}
    found = scan_many(tmp_path, specs, deep=True)
    assert sorted(read) == ["set/0.png", "set/1.png", "set/2.png", "set/3.png"]
    assert len(seen) == 4
    assert all("D02" in codes(dataset) for dataset in found.values())


def test_a_picture_is_decoded_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes are read once; what cannot be decoded is read again, to say why."""
    folder = make(tmp_path, count=3)
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes().replace(b"IDAT", b"IDAT\0", 1))
    opened: list[str] = []
    again = DataGuard.opened

    def noting(guard: DataGuard, file: str) -> Any:
        opened.append(file)
        return again(guard, file)

    monkeypatch.setattr(DataGuard, "opened", noting)
    found = scan_one(tmp_path, spec(missing="auto"), deep=True)
    assert [(p.code, str(p.location)) for p in found.problems if p.code == "F02"] == [("F02", "set/2.png")]
    assert opened in ([], ["set/2.png"])


def test_only_some_thumbnails_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go, so that memory is bounded."""
    from scenario_apply.dataset.scan import image_similarity

    monkeypatch.setattr(image_similarity, "_MOST_THUMBNAILS", 2)
    seen = image_similarity.SeenPixels()
    for digest in ("a", "b", "c"):
        seen.keep(digest, Image.new("RGB", (32, 32)))
    assert list(seen.thumbnails) == ["b", "c"]


def test_a_plan_decodes_only_so_many_new_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more, none: one note says so, later plans decode nothing, and validate decodes all of them once."""
    decoded: list[int] = []

    def counting(data: bytes, allowance: DecodingAllowance) -> PixelSummary:
        decoded.append(len(data))
        return read_pixels(data, allowance)

    monkeypatch.setattr(pictures, "read_pixels", counting)
    monkeypatch.setattr(making, "MOST_DECODED_BY_A_PLAN", 3)
    folder = make(tmp_path, count=2)
    one = spec(missing="auto")
    scan_one(tmp_path, one, depth=Depth.FEW_PIXELS)
    assert len(decoded) == 2
    for seed in (2, 3, 4, 5):
        make_picture(folder / f"{seed}.png", seed=seed)
    make_picture(folder / "6.png", seed=0, size=(1100, 1100))
    grow_old(folder)
    for _ in range(2):
        found = scan_one(tmp_path, one, depth=Depth.FEW_PIXELS)
        notes = [problem for problem in found.problems if problem.code == "F10"]
        assert [(note.severity, note.message) for note in notes] == [
            ("info", "more than 3 images are new: their pixels were not checked or compared")
        ]
        assert len(decoded) == 2
    for _ in range(2):
        found = scan_one(tmp_path, one, depth=Depth.ALL_PIXELS)
        assert "D02" in codes(found)
        assert "F10" not in codes(found)
        assert len(decoded) == 8  # one of them twice: its colours are compared
    assert "D02" in codes(scan_one(tmp_path, one, depth=Depth.FEW_PIXELS))
