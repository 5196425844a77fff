"""From the plan to what is rendered: a pair's hands posed and placed in the world, its cameras, look and metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from blender_scripts.looks.look import Look, with_detail, with_metering
from blender_scripts.looks.sleeves import with_sleeve
from blender_scripts.render_sample import SampleSpec
from blender_scripts.sensor.sensor import Sensor, draw_sensors
from rigging.geometry.cameras import Cameras
from rigging.geometry.lenses import with_lens
from rigging.geometry.rigs import place_cameras
from rigging.hand.arm import arm_topology, build_arm
from rigging.hand.asset import HandAsset
from rigging.hand.shape import RestHand, Subject, rest_hand
from rigging.skin.cache import cached_bake
from rigging.skin.tone import monk_bin
from rigging.spin.posed import PosedHand, framing_points, place_hands, pose_hands

from .configuration import Configuration, package_versions
from .hold_out import pair_bands, pair_look
from .plan import Plan
from .release import Release
from .rig import target_of, upright
from .seeds import Stream, generator, render_seed
from .splits import SPLITS


@dataclass(frozen=True)
class Body:
    """A subject at rest, in the hand frame."""

    subject: Subject
    rest: RestHand
    arms: dict[str, np.ndarray]  # style: (Va, 3) m
    skin: Any  # rigging.skin's SkinMaps


@dataclass(frozen=True)
class PlacedPair:
    """A pair in its world: +z up, the origin in the palm's centre in the first pose."""

    hands: tuple[PosedHand, ...]
    source_joints: np.ndarray  # (L, 21, 3) m, the source's own joints in this world
    cameras: Cameras
    look: Look
    sensors: tuple[Sensor, ...]  # one per camera, or none


class Specs:
    """Makes the SampleSpec of any sample of a plan; subjects and pairs are kept while they are in use."""

    def __init__(self, plan: Plan, release: Release, asset: HandAsset, hdris: tuple[str, ...], cache: Path) -> None:
        self.plan, self.release, self.asset, self.hdris, self.cache = plan, release, asset, sorted(hdris), cache
        self.body = lru_cache(maxsize=2)(self._body)
        self.pair = lru_cache(maxsize=2)(self._pair)

    def spec(self, sample: int) -> SampleSpec:
        """Everything about `sample` (its index in the release)."""
        index, role = self.plan.pair_of(sample), self.plan.role_of(sample)
        pair = self.pair(index)
        return SampleSpec(
            posed=pair.hands[role],
            previous=pair.hands[role - 1] if role > 0 else None,
            following=pair.hands[role + 1] if role + 1 < len(pair.hands) else None,
            cameras=pair.cameras,
            skin=self.body(int(self.plan.subject[index])).skin,
            look=pair.look,
            seed=render_seed(self.release, sample),
            metadata=self._metadata(sample, pair),
            left=self._left(index),
            sensors=pair.sensors,
        )

    def _body(self, number: int) -> Body:
        subject = plan_subject(self.plan, number)
        rest = rest_hand(self.asset, subject)
        arms = {
            style: build_arm(self.asset, rest, style, generator(self.release, Stream.ARM, number))
            for style in ("bare", "sleeve")
        }
        painted = self.release.subjects
        skin = cached_bake(
            self.cache / "skin", self.asset, rest, arms["bare"], subject, painted.skin_resolution, painted.roughness
        )
        return Body(subject, rest, arms, skin)

    def _pair(self, index: int) -> PlacedPair:
        plan, release = self.plan, self.release
        body = self.body(int(plan.subject[index]))
        look = look_of_pair(plan, release, index, self.hdris)
        bands = pair_bands(release, plan.strata and plan.strata.hold_out, int(plan.split[index]))
        arm, joints = self._arm(body, int(plan.subject[index]), look), plan.joints[index]
        how = {"mode": release.spin_mode, "retarget": release.retarget, "skinning": release.skinning}
        hands = pose_hands(self.asset, body.rest, arm, joints, plan.wrist[index], **how)
        up = upright(release, hands[0], plan.up[index], plan.clips[plan.clip[index]]["has_up"], index)
        left = self._left(index)
        hands, source = place_hands(hands, joints, up, left)
        # a release of "left" hands keeps the rings it always had
        target = target_of(hands, framing_points(self.asset, hands), left and release.hand == "both")
        rng = generator(release, Stream.CAMERAS, index)
        cameras = place_cameras(target, release.cameras, rng, bands, plan.calibration)
        lens = release.cameras.distortion.draw(generator(release, Stream.DISTORTION, index))
        cameras = cameras if lens is None else with_lens(cameras, lens)
        return PlacedPair(hands, source, cameras, look, sensors_of_pair(release, index, len(cameras.K)))

    def _arm(self, body: Body, number: int, look: Look) -> np.ndarray:
        """The arm (Va, 3) m of subject `number` at rest; a rolled sleeve is the pair's."""
        if look.arm_shape in body.arms:
            return body.arms[look.arm_shape]
        return build_arm(self.asset, body.rest, "rolled", generator(self.release, Stream.ARM, number), look.cuff)

    def _left(self, pair: int) -> bool:
        """Whether a pair shows a left hand."""
        sides = self.plan.left
        return self.release.hand == "left" if sides is None else bool(sides[pair])

    def _metadata(self, sample: int, pair: PlacedPair) -> dict[str, Any]:
        plan, index, role = self.plan, self.plan.pair_of(sample), self.plan.role_of(sample)
        clip, subject = plan.clips[plan.clip[index]], plan_subject(plan, int(plan.subject[index]))
        source = pair.source_joints[role]
        return {
            "sample": sample,
            "seed": f"{self.release.seed}/{index}/{sample}",
            "pair": index,
            "pair_role": role,
            "clip": clip["name"],
            "subject": int(plan.subject[index]),
            "shape": subject.coefficients.astype(np.float32),
            "hand_length": subject.hand_length,
            "ita": subject.ita,
            "monk_bin": int(monk_bin(subject.ita)),
            "hand": "left" if self._left(index) else "right",
            "mirrored": bool(clip["mirrored"]) and self.release.hand != "both",  # there each is shown as recorded
            "pose_source": clip["source"],
            "source_frame": str(plan.frame_id[index, role]),
            "source_joints": source.astype(np.float32),
            "residual": np.linalg.norm(pair.hands[role].joints - source, axis=-1).astype(np.float32),
            "wrist_angles": plan.wrist[index, role].astype(np.float32),
            "split": SPLITS[plan.split[index]],
        }


def look_of_pair(plan: Plan, release: Release, index: int, panoramas: Sequence[str]) -> Look:
    """The look of pair `index`; `panoramas` are the names of all there are."""
    held = plan.strata and plan.strata.hold_out
    look = pair_look(release, held, int(plan.split[index]), index, panoramas)
    look = with_sleeve(generator(release, Stream.CUFF, index), look, release.look, float(plan.ita[plan.subject[index]]))
    look = with_metering(generator(release, Stream.METERING, index), look, release.look)
    return with_detail(generator(release, Stream.DETAIL, index), look, release.look)


def sensors_of_pair(release: Release, index: int, views: int) -> tuple[Sensor, ...]:
    """The sensors of pair `index`, one per camera, or none."""
    return draw_sensors(generator(release, Stream.SENSOR, index), release.look.sensor, views)


def plan_subject(plan: Plan, number: int) -> Subject:
    """Subject `number` of the plan."""
    names = ("hand_length", "age", "gender", "ita")
    values = {name: float(getattr(plan, name)[number]) for name in names}
    return Subject(coefficients=plan.coefficients[number], skin_seed=int(plan.skin_seed[number]), **values)


def shard_record(release: Release, shard: int, plan: Plan, asset: HandAsset, configuration: Configuration) -> dict:
    """The schema's fields of a shard."""
    licences = sorted({f"{clip['source']} poses: {clip['licence']}" for clip in plan.clips})
    return {
        "faces": asset.faces.astype(np.int32),
        "face_part": asset.face_part.astype(np.uint8),
        "arm_faces": arm_topology(asset)[0].astype(np.int32),
        "release": release.name,
        "shard": shard,
        "configuration": configuration.text,
        "configuration_hash": configuration.hash,
        "package_versions": json.dumps(package_versions(), sort_keys=True),
        "device": plan.device,
        "licence": "; ".join(["hand: CC0", *licences]),
        "retarget": release.retarget,
        "spin_mode": release.spin_mode,
    }
