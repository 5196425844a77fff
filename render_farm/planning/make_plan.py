"""Makes a plan: candidates, the most diverse of them, splits, subjects, directions of up and wrist angles."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np

from blender_scripts.looks.hdri import panorama_names
from dataset_tools.store.layout import ReleaseFolder
from rigging.files import file_sha256
from rigging.geometry.rotations import axis_angle, random_rotation, swing
from rigging.hand.asset import DEFAULT_ASSET, HandAsset, load_asset
from rigging.hand.bones import bone_lengths
from rigging.hand.shape import Subject, fit_subject, sample_subject
from rigging.poses.clip import PoseClip
from rigging.poses.rejects import write_rejects
from rigging.poses.sampling.diversity import k_centre
from rigging.poses.sampling.procedural import minimum_jerk

from ..device import device_kind
from ..errors import InputError
from .candidates import PoseFrames, is_procedural, read_poses
from .choose import Arrangement, SubjectSlot, arrange, block_ids, deal_runs, in_random_order, pose_subjects
from .choose_held_out import choose_held_out
from .deal import deal_splits, deal_subjects, even_tones
from .hands import draw_hands
from .hold_out import decide_hold_out
from .plan import Plan
from .release import Release
from .release_tables import WristSettings
from .seeds import Stream, generator
from .strata import Strata, draw_strata
from .windows import candidate_pairs, thin_out, why_too_short

log = logging.getLogger(__name__)

WRIST_STEP = 0.05  # rad, standard deviation of the change of a wrist angle within a pair, or WRIST_POSES of a clip
WRIST_POSES = 6


def make_plan(release: Release, key: str, folder: Path) -> Plan:
    """Decide the release; what was left out goes to `folder`/rejects.csv and is counted on screen.

    A source with fewer poses than the release has samples gives a plan of its first samples; none is used twice.
    Raises InputError if the source has no usable pose or pair.
    """
    log.info("planning %s: poses from %s", release.name, release.poses.source)
    frames, rejects = read_poses(release)
    write_rejects(ReleaseFolder(folder).rejects, rejects)
    settings = release.pairs
    pairs, dropped = candidate_pairs(frames, settings, release.splits.block)
    if settings.length == 2 and not len(pairs) and max(map(len, frames.clips)) == 1:
        log.warning("the source has single frames only: no pairs, so no flow")
        settings = dataclasses.replace(settings, length=1)
        pairs, dropped = candidate_pairs(frames, settings, release.splits.block)
    for reason, count in (+dropped).items():
        log.info("not a %s: %d, %s", settings.word, count, reason)
    if not len(pairs):
        if short := why_too_short(frames, settings, release.splits.block):
            raise InputError(f"--poses {release.poses.source}: {short}: set less, or take longer ones")
        raise InputError(
            f"--poses {release.poses.source}: none of {len(frames.clip)} frames has a neighbour to pair with: set "
            "`length = 1` in [pairs] of the release (no flow), or widen its `least` and `most`"
        )
    make = assemble_held_out if release.splits.hold_out else assemble
    plan = make(release, key, frames, pairs)
    if plan.samples < release.samples:
        log.warning("too few poses: the first %d of %d samples only", plan.samples, release.samples)
    return plan


def assemble(release: Release, key: str, frames: PoseFrames, pairs: np.ndarray) -> Plan:
    """The plan of the most diverse of `pairs` (N, L): spread over all poses, greedy k-centre on the first of each."""
    count, rng = min(release.samples // pairs.shape[1], len(pairs)), generator(release, Stream.CHOICE)
    pairs = thin_out(pairs, max(release.poses.candidates, count), rng)
    log.info("choosing %d of %d candidates", count, len(pairs))
    chosen = pairs[np.sort(k_centre(frames.joints[pairs[:, 0]], count, rng))]
    rng, fitted, subjects = generator(release, Stream.ORDER), follows_recorders(release), release.subjects
    arranged, slots = arrange(frames, chosen, release.splits, subjects.count, subjects.run, fitted, rng)
    return fill(release, key, frames, arranged, slots, skin_tones(release, arranged.subject, rng))


def assemble_held_out(release: Release, key: str, frames: PoseFrames, pairs: np.ndarray) -> Plan:
    """The plan of diverse `pairs` (N, L) with splits that each hold one factor out and share the others' strata."""
    choice = choose_held_out(release, load_asset(), frames, pairs)
    rng = generator(release, Stream.ORDER)
    blocks = block_ids(frames, choice.pairs, release.splits.block)
    split = deal_splits(release, blocks, choice.cluster, choice.held, rng)
    names = pose_subjects(frames, choice.pairs, follows_recorders(release))
    runs = deal_runs(split, names, release.subjects.run, rng)
    subjects, slots = deal_subjects(release, runs, rng)
    arranged = in_random_order(choice.pairs, split, runs, subjects, rng)
    panoramas = panorama_names(release.files.hdris or None)
    hold_out = decide_hold_out(release, panoramas, choice.held_clusters)
    clusters = choice.cluster[arranged.order], choice.centres
    strata = draw_strata(release, hold_out, arranged.split, clusters, panoramas)
    tones = even_tones(np.array([slot.split for slot in slots]), release.subjects.ita, rng)
    return fill(release, key, frames, arranged, slots, tones, strata)


def follows_recorders(release: Release) -> bool:
    """Whether subjects get the proportions of those who recorded the poses."""
    return release.subjects.shape == "fitted" and not is_procedural(release)


def fill(
    release: Release,
    key: str,
    frames: PoseFrames,
    arranged: Arrangement,
    slots: list[SubjectSlot],
    tones: np.ndarray,
    strata: Strata | None = None,
) -> Plan:
    """Everything else about the arranged pairs; tones (S,) degrees of ITA."""
    asset = load_asset()
    subjects = [
        dataclasses.replace(draw_subject(release, asset, frames, slot, number), ita=float(tones[number]))
        for number, slot in enumerate(slots)
    ]
    clip = frames.clip[arranged.pairs[:, 0]]
    rngs = [generator(release, Stream.PLACEMENT, number) for number in range(len(clip))]
    used = np.unique(clip)
    return Plan(
        joints=frames.joints[arranged.pairs],
        up=np.stack([upright(frames.clips[c].up, rng) for c, rng in zip(clip, rngs)]),
        wrist=np.stack([wrist_angles(release.wrist, arranged.pairs.shape[1], rng) for rng in rngs]),
        clip=np.searchsorted(used, clip).astype(np.int32),
        frame_id=_frame_ids(frames, arranged),
        split=arranged.split,
        subject=arranged.subject,
        **_subject_table(subjects, slots),
        clips=tuple(describe_clip(frames.clips[c]) for c in used),
        release=release.to_json(),
        inputs=key,
        asset=file_sha256(DEFAULT_ASSET),
        device=device_kind(release.render),
        strata=strata,
        left=draw_hands(release, frames, arranged),
    )


def draw_subject(release: Release, asset: HandAsset, frames: PoseFrames, slot: SubjectSlot, number: int) -> Subject:
    """Subject `number`: sampled, with the shape of its pose subject's bones if it follows one.

    Its size stays the one drawn from anthropometry (sources differ in where the wrist is), unless bones are to be
    stretched to the source's anyway.
    """
    rng = generator(release, Stream.SUBJECT, number)
    subject = sample_subject(rng, asset, release.subjects.litres)
    if slot.pose_subject:
        fitted = fit_subject(asset, median_bone_lengths(frames, slot.pose_subject), subject)
        length = fitted.hand_length if release.retarget == "positions" else subject.hand_length
        subject = dataclasses.replace(fitted, hand_length=length)
    return subject


def skin_tones(release: Release, subject: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S,) degrees of ITA for the subjects of pairs `subject` (P,), even in the order in which they first appear.

    So every shard covers the whole range.
    """
    first = np.unique(subject, return_index=True)[1]
    return even_tones(np.zeros(len(first), int), release.subjects.ita, rng)[np.argsort(np.argsort(first))]


def median_bone_lengths(frames: PoseFrames, pose_subject: str) -> np.ndarray:
    """(21,) m, median bone lengths of the frames that `pose_subject` recorded; 0 for the forearm."""
    owned = np.array([clip.subject == pose_subject for clip in frames.clips])[frames.clip] & frames.valid
    return np.median(bone_lengths(frames.joints[owned].astype(np.float64)), axis=0)


def upright(up: tuple[float, float, float] | None, rng: np.random.Generator) -> np.ndarray:
    """(3, 3) rotation from the source to a world with +z up: any at all where the source does not know up."""
    if up is None:
        return random_rotation(rng)
    z = np.array([0.0, 0.0, 1.0])
    return axis_angle(z, rng.uniform(0, 2 * np.pi)) @ swing(np.asarray(up, float), z)


def wrist_angles(limits: WristSettings, poses: int, rng: np.random.Generator) -> np.ndarray:
    """(poses, 2) rad, flexion and radial deviation within `limits`; hardly changing in a pair, smoothly in a clip."""
    low, high = np.array([limits.flexion, limits.deviation]).T
    middle, reach = (low + high) / 2, (high - low) / 2
    first = np.clip(middle + reach * rng.normal(0, 0.5, 2), low, high)
    keys = 2 if poses <= 2 else 2 + (poses - 1) // WRIST_POSES
    steps = rng.normal(0, WRIST_STEP, (keys, 2)) * (np.arange(keys) > 0)[:, None]
    path = np.clip(first + np.cumsum(steps, axis=0), low, high)
    times = np.arange(poses) / (1 if poses <= 2 else WRIST_POSES)
    return minimum_jerk(path[None], times[None])[0]


def describe_clip(clip: PoseClip) -> dict:
    """What a sample's metadata says of its clip."""
    names = ("name", "subject", "source", "licence", "mirrored", "tip_def", "wrist_def", "fps", "sha256")
    estimated = {"estimated": clip.estimated} if clip.estimated else {}
    return {name: getattr(clip, name) for name in names} | {"has_up": clip.up is not None} | estimated


def _frame_ids(frames: PoseFrames, arranged: Arrangement) -> np.ndarray:
    flat = arranged.pairs.reshape(-1)
    names = [str(frames.clips[c].frame_ids[f]) for c, f in zip(frames.clip[flat], frames.frame[flat])]
    return np.array(names).reshape(arranged.pairs.shape)


def _subject_table(subjects: list[Subject], slots: list[SubjectSlot]) -> dict[str, np.ndarray]:
    table = {
        name: np.array([getattr(subject, name) for subject in subjects], float)
        for name in ("coefficients", "hand_length", "age", "gender", "ita")
    }
    table["skin_seed"] = np.array([subject.skin_seed for subject in subjects], np.int64)
    table["subject_split"] = np.array([slot.split for slot in slots], np.uint8)
    return table
