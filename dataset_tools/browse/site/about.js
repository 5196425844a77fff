// What is told of a sample beside its pictures: metadata, and the line that loads it in Python.
'use strict';
(function (mvhm) {
  const { el } = mvhm;

  function facts(at, meta) {
    const tone = el(
      'span',
      {},
      el('i', { class: 'swatch', style: `background:${mvhm.monk(meta.monk_bin)}` }),
      `Monk ${meta.monk_bin}, ITA ${Number(meta.ita).toFixed(0)}°`,
    );
    const role = meta.pair_role === 0 ? 'first' : `number ${meta.pair_role + 1}`;
    const rows = [
      ['Split', meta.split],
      ['Gesture', mvhm.value('gesture', at)],
      ['Subject', meta.subject],
      ['Hand', `${meta.hand}${meta.mirrored ? ', mirrored' : ''}, ${(1000 * meta.hand_length).toFixed(0)} mm long`],
      ['Skin tone', tone],
      ['Light', mvhm.value('light', at) || 'none'],
      ['Background', mvhm.value('background', at) || 'none'],
      ['Arm', meta.arm_style],
      ['Poses', `${meta.pose_source}, clip ${meta.clip}, frame ${meta.source_frame}`],
      ['Pair', `${meta.pair}, ${role}`],
      ['Stored in', `${mvhm.key(at).split('/')[0]}.h5, row ${mvhm.value('row', at)}`],
    ];
    return el(
      'dl',
      { class: 'facts' },
      ...rows.flatMap(([name, value]) => [
        el('dt', {}, name),
        el('dd', {}, value instanceof Node ? value : String(value)),
      ]),
    );
  }

  function everything(meta) {
    const text = (value) =>
      value !== null && typeof value === 'object'
        ? JSON.stringify(value, null, Array.isArray(value) ? 0 : 1)
        : String(value);
    const rows = Object.entries(meta).map(([name, value]) =>
      el('tr', {}, el('th', {}, name), el('td', {}, text(value))),
    );
    return el(
      'details',
      { class: 'everything' },
      el('summary', {}, 'All metadata'),
      el('table', {}, el('tbody', {}, ...rows)),
    );
  }

  function python(at) {
    const lines = el(
      'pre',
      { tabindex: 0 },
      `from dataset_tools import HandDataset\n\nsample = HandDataset(${JSON.stringify(mvhm.index.folder)})[${at}]`,
    );
    const copy = el(
      'button',
      {
        type: 'button',
        click: () => {
          getSelection().selectAllChildren(lines);
          copy.textContent = document.execCommand('copy') ? 'Copied' : 'Selected';
        },
      },
      'Copy',
    );
    return el('section', { class: 'python' }, el('h2', {}, 'In Python', copy), lines);
  }

  mvhm.metadata = (at, meta) =>
    el('section', { class: 'about' }, el('h2', {}, 'Metadata'), facts(at, meta), everything(meta));
  mvhm.python = python;
})(window.mvhm);
