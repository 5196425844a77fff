"""The pages in a browser: from a folder and a web server, on a desktop and a phone, by mouse and by keyboard."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from dataset_tools import HandDataset
from dataset_tools.browse.layers import MASK
from dataset_tools.browse.scripts import index_script
from dataset_tools.load.dataset import outward
from dataset_tools.load.index import SampleIndex, index_of
from dataset_tools.pictures.drawing import joint_colours

READY = "document.getElementById('sample').dataset.ready == '{}'"
TILES = "document.querySelectorAll('.tile').length"
COUNT = "document.getElementById('count').textContent"
CENTRES = """(canvas) => {
  const scale = canvas.width / 64, pen = canvas.getContext('2d');
  const data = pen.getImageData(0, 0, canvas.width, canvas.height).data, middle = (i) => Math.floor((i + 0.5) * scale);
  return [...Array(64 * 64).keys()].map((i) => {
    const at = 4 * (middle(Math.floor(i / 64)) * canvas.width + middle(i % 64));
    return [...data.slice(at, at + 3)];
  });
}"""  # colours at the centres of the 64 x 64 pixels of a photograph
AT = """(canvas, places) => {
  const scale = canvas.width / 64, pen = canvas.getContext('2d');
  const at = (x, y) => pen.getImageData(Math.floor(x * scale), Math.floor(y * scale), 1, 1).data;
  return places.map(([x, y]) => [...at(x, y).slice(0, 3)]);
}"""  # colours at places in px of a photograph of 64 x 64
WIDER = "document.documentElement.scrollWidth > window.innerWidth"


def places(site, server) -> dict[str, str]:
    return {"file": site.as_uri() + "/", "http": server}


@pytest.mark.parametrize("place", ["file", "http"])
@pytest.mark.parametrize(("width", "height", "phone"), [(1280, 800, False), (390, 844, True)])
def test_all_pages_work_from_a_folder_and_a_server_on_a_desktop_and_a_phone(
    browser, site, server, place, width, height, phone
):
    start = places(site, server)[place]
    browser.window(width, height, phone)
    browser.open(start + "index.html")
    browser.wait(f"{TILES} == 4")
    assert browser.js(COUNT) == "4 samples"
    assert not browser.js(WIDER)
    assert browser.js("document.getElementById('facets').open") is not phone
    browser.js("document.querySelector('.tile').click()")
    browser.wait(READY.format(0))
    browser.wait("document.querySelector('.stage canvas') !== null")
    assert browser.js("document.querySelectorAll('figure').length") == 8
    assert not browser.js(WIDER)
    assert "HandDataset(" in browser.js("document.querySelector('.python pre').textContent")
    for label in json.loads(browser.js("JSON.stringify(mvhm.model.layers)")):
        browser.press("l")
        assert label
    browser.wait("performance.getEntriesByType('resource').every((one) => one.responseEnd > 0)")
    assert all(address.startswith((start, "data:", "about:", "blob:")) for address in browser.asked), "it is offline"


def test_a_keyboard_is_enough(browser, site):
    browser.open(site.as_uri() + "/index.html")
    browser.wait(f"{TILES} == 4")
    browser.js("document.querySelector('.tile[tabindex=\"0\"]').focus()")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    assert browser.js("document.activeElement.dataset.place") == "2"
    browser.press("Enter")
    browser.wait(READY.format(2))
    pressed = "[...document.querySelectorAll('.toolbar [aria-pressed=true]')].map((one) => one.textContent).join()"
    assert browser.js(pressed) == "Photograph,Joints"
    for key in ("l", "j", "m"):
        browser.press(key)
    assert browser.js(pressed) == "Mask,Mesh"
    for key in ("L", "j", "m"):
        browser.press(key)
    assert browser.js(pressed) == "Photograph,Joints"
    browser.press("ArrowRight")
    browser.wait(READY.format(3))
    browser.press("ArrowRight")  # there is none after the last
    assert browser.js("location.hash") == "#sample=3"
    browser.press("Escape")
    browser.wait("document.activeElement.classList.contains('tile')")
    assert browser.js("document.activeElement.dataset.place") == "3"


def test_filters_choose_what_the_index_says(browser, site, release):
    index = index_of(release)
    browser.open(site.as_uri() + "/index.html")
    browser.wait(f"{TILES} == 4")
    for name in ("split", "subject", "light"):
        value = str(index[name][1])
        wanted = int((index[name].astype(str) == value).sum())
        browser.js(f"location.hash = new URLSearchParams([[{json.dumps(name)}, {json.dumps(value)}]])")
        browser.wait(f"{COUNT} == '{wanted} of 4 samples' && {TILES} == {wanted}")
        box = f"document.querySelector('details[data-name={name}] input:checked')"
        browser.js(f"{box}.click()")
        browser.wait(f"{COUNT} == '4 samples'")
    browser.js("location.hash = 'verdict=fail'")  # no sample has it: passed over
    assert browser.js(COUNT) == "4 samples"


def test_a_label_lies_exactly_over_the_photograph(browser, server, release):
    """From a server a canvas may be read: within the mask, and only there, its colour is seen at full opacity."""
    browser.open(f"{server}index.html#sample=1")
    browser.wait(READY.format(1))
    browser.js("document.querySelector('.slider input').value = 1")
    browser.js("document.querySelector('.slider input').dispatchEvent(new Event('input'))")
    browser.press("l")
    browser.press("j")
    mask = HandDataset(release, fields=["mask"])[1]["mask"]
    for view in (0, 5):
        canvas = f"document.querySelectorAll('figure canvas')[{view}]"
        centres = f"({CENTRES})({canvas})"
        browser.wait(f"({centres}).filter((rgb) => rgb.join() === '{','.join(map(str, MASK))}').length > 20")
        seen = (np.array(browser.js(centres)) == MASK).all(-1).reshape(64, 64)
        assert np.array_equal(seen, mask[view])


def test_joints_lie_where_the_shard_says_and_hidden_ones_are_hollow(browser, server, release):
    browser.open(f"{server}index.html#sample=1")
    browser.wait(READY.format(1))
    sample = HandDataset(release, fields=["joints_2d", "joint_visible"])[1]
    compared = set()
    for view in range(8):
        joints, visible = sample["joints_2d"][view], sample["joint_visible"][view]
        canvas = f"document.querySelectorAll('figure canvas')[{view}]"
        browser.wait(f"({CENTRES})({canvas}).some((rgb) => rgb.join() != '0,0,0')")
        seen = browser.js(f"({AT})({canvas}, {json.dumps(joints.tolist())})")
        for joint, place in enumerate(joints):
            away = np.delete(np.linalg.norm(joints - place, axis=1), joint).min()
            if away > 1.3 and (place > 1).all() and (place < 63).all():
                wanted = joint_colours()[joint].tolist() if visible[joint] else [255, 255, 255]
                assert seen[joint] == wanted, (view, joint)
                compared.add(bool(visible[joint]))
    assert compared == {True, False}


def test_triangles_face_outwards_on_either_hand(browser, site, release):
    browser.open(site.as_uri() + "/index.html")
    browser.wait(f"{TILES} == 4")
    dataset = HandDataset(release)
    for hand in ("left", "right"):
        for place, faces in enumerate((dataset.faces, dataset.arm_faces)):
            found = browser.js(f"[...mvhm.triangles({json.dumps(hand == 'left')})[{place}]]")
            assert np.array_equal(np.reshape(found, (-1, 3)), outward(faces, hand))


def test_the_hand_in_space_is_drawn_and_seen_from_a_camera(browser, site, tmp_path):
    browser.open(site.as_uri() + "/index.html#sample=0")
    browser.wait(READY.format(0))
    browser.js("[...document.querySelectorAll('.solid button')].filter((b) => 'cameras' == b.textContent)[0].click()")
    browser.wait("document.querySelectorAll('.mark').length == 8 && document.querySelectorAll('.mark')[3].style.left")
    browser.js("document.querySelectorAll('.mark')[3].click()")
    browser.wait("Math.abs(parseFloat(document.querySelectorAll('.mark')[3].style.left) - 50) < 0.5")
    browser.screenshot(tmp_path / "page.png")
    box = json.loads(browser.js("JSON.stringify(document.querySelector('.stage').getBoundingClientRect())"))
    x, y, side = (round(box[name]) for name in ("x", "y", "width"))
    middle = cv2.imread(str(tmp_path / "page.png"))[
        y + side // 4 : y + 3 * side // 4, x + side // 4 : x + 3 * side // 4
    ]
    saturation = np.ptp(middle.astype(int), axis=-1)
    assert (saturation > 60).mean() > 0.02, "skin and coloured bones, on a grey ground"


def test_the_hand_turns_until_it_is_told_to_stop(browser, site):
    where = "document.querySelectorAll('.mark')[2].style.left"
    browser.still(False)
    browser.open(site.as_uri() + "/index.html#sample=0")
    browser.wait(READY.format(0))
    browser.js("[...document.querySelectorAll('.solid button')].filter((b) => 'cameras' == b.textContent)[0].click()")
    browser.wait(f"document.querySelectorAll('.mark').length == 8 && {where}")
    before = browser.js(where)
    browser.wait(f"{where} != {json.dumps(before)}")
    browser.js("[...document.querySelectorAll('.solid button')].filter((b) => 'turn' == b.textContent)[0].click()")
    frame = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))"
    browser.js(frame)
    before = browser.js(where)
    browser.js(frame)
    assert browser.js(where) == before


def test_ten_thousand_samples_keep_few_elements_and_filter_at_once(browser, site, release, tmp_path):
    for path in site.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "data").unlink()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "model.js").symlink_to(site / "data" / "model.js")
    few, rows = index_of(release), np.arange(10_000)
    many = SampleIndex({name: few[name][rows % 4] for name in few.columns}).with_column("sample", rows)
    many = many.with_column("subject", rows % 100)
    facts = json.loads(browser_free_index(site))
    facts = {name: facts[name] for name in ("title", "folder", "licence", "hash", "sheet", "sizes")}
    (tmp_path / "data" / "index.js").write_bytes(index_script(many, ["fist"] * 10_000, facts))
    browser.open((tmp_path / "index.html").as_uri())
    browser.wait(f"{COUNT} == '10,000 samples'")
    browser.js("document.querySelector('.tile[tabindex=\"0\"]').focus()")
    browser.press("End")
    assert browser.js("document.activeElement.dataset.place") == "9999"
    assert browser.js(TILES) < 120
    spent = browser.js("""(() => { const start = performance.now();
      document.querySelector('details[data-name=subject] input').click(); return performance.now() - start; })()""")
    browser.wait(f"{COUNT} == '100 of 10,000 samples'")
    assert spent < 1000
    browser.errors[:] = [line for line in browser.errors if "/sheets/" not in line]  # there is one of 157


def browser_free_index(site) -> str:
    """The JSON in the site's index script."""
    return (site / "data" / "index.js").read_text().split("mvhm.index = ", 1)[1].rstrip(";\n")
