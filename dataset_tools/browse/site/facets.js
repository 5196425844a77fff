// Filters: in a group any of the chosen values will do, and a sample has to pass every group.
'use strict';
(function (mvhm) {
  const MONK = [
    '#f6ede4',
    '#f3e7db',
    '#f7ead0',
    '#eadaba',
    '#d7bd96',
    '#a07e56',
    '#825c43',
    '#604134',
    '#3a312a',
    '#292420',
  ];
  const GROUPS = [
    ['split', 'Split'],
    ['verdict', 'Verdict'],
    ['gesture', 'Gesture (stretched fingers)'],
    ['monk_bin', 'Skin tone (Monk)'],
    ['light', 'Light'],
    ['background', 'Background'],
    ['arm_style', 'Arm'],
    ['hand', 'Hand'],
    ['subject', 'Subject'],
  ];
  const OPEN = ['split', 'verdict', 'gesture', 'monk_bin'];
  const { el } = mvhm;
  mvhm.monk = (bin) => MONK[bin - 1];

  /** Values of a column in order, and for each sample the place of its value. */
  function coded(name) {
    const column = mvhm.index.columns[name];
    if (!Array.isArray(column)) return column;
    const values = [...new Set(column)].sort((a, b) => a - b),
      places = new Map(values.map((value, i) => [value, i]));
    return { values, codes: column.map((value) => places.get(value)) };
  }

  const groups = GROUPS.map(([name, title]) => ({
    name,
    title,
    ...coded(name),
    chosen: new Set(),
    boxes: [],
    counts: [],
  }));

  /** For every sample how many groups it fails, and the last of those. */
  function failures() {
    const count = mvhm.index.count,
      fails = new Uint8Array(count),
      which = new Int8Array(count);
    groups.forEach((group, g) => {
      if (!group.chosen.size) return;
      for (let i = 0; i < count; i++)
        if (!group.chosen.has(group.codes[i])) {
          fails[i]++;
          which[i] = g;
        }
    });
    return { fails, which };
  }

  /** The samples that pass, and how many would with each value; said beside it. */
  function choose() {
    const { fails, which } = failures(),
      passing = [];
    groups.forEach((group) => {
      group.totals = new Uint32Array(group.values.length);
    });
    for (let i = 0; i < fails.length; i++) {
      if (fails[i] === 0) {
        passing.push(i);
        groups.forEach((group) => {
          group.totals[group.codes[i]]++;
        });
      } else if (fails[i] === 1) {
        const group = groups[which[i]];
        group.totals[group.codes[i]]++;
      }
    }
    groups.forEach(show);
    return passing;
  }

  function show(group) {
    group.values.forEach((_, code) => {
      const total = group.totals[code],
        chosen = group.chosen.has(code);
      group.boxes[code].checked = chosen;
      group.counts[code].textContent = total.toLocaleString('en');
      group.boxes[code].parentElement.classList.toggle('none', total === 0 && !chosen);
    });
    group.badge.textContent = group.chosen.size ? String(group.chosen.size) : '';
  }

  function row(group, value, code, changed) {
    const box = el('input', {
      type: 'checkbox',
      change: () => {
        toggle(group, code, box.checked);
        changed();
      },
    });
    const count = el('span', { class: 'n' });
    group.boxes[code] = box;
    group.counts[code] = count;
    const name = value === '' ? (group.name === 'verdict' ? 'not validated' : 'none') : String(value);
    const swatch =
      group.name === 'monk_bin' ? [el('i', { class: 'swatch', style: `background:${mvhm.monk(value)}` })] : [];
    return el('label', {}, box, ...swatch, el('span', { class: 'value', title: name }, name), count);
  }

  const toggle = (group, code, on) => (on ? group.chosen.add(code) : group.chosen.delete(code));

  /** Build the groups; `changed` is called after a choice of the user. */
  function build(place, changed) {
    for (const group of groups) {
      group.badge = el('em', {});
      const rows = group.values.map((value, code) => row(group, value, code, changed));
      const open = OPEN.includes(group.name) || group.chosen.size > 0;
      const body = el(
        'details',
        { open, 'data-name': group.name },
        el('summary', {}, group.title, group.badge),
        el('div', { class: 'values' }, ...rows),
      );
      body.hidden = group.values.length < 2 && group.name !== 'verdict' && group.name !== 'split';
      place.append(body);
    }
  }

  /** Take the choice from the words of an address; values that no sample has are passed over. */
  function read(words) {
    for (const group of groups) {
      const wanted = words.getAll(group.name);
      group.chosen = new Set(
        group.values
          .map((value, code) => [String(value), code])
          .filter(([v]) => wanted.includes(v))
          .map(([, code]) => code),
      );
    }
  }

  /** The choice as words of an address. */
  function words() {
    const out = new URLSearchParams();
    for (const group of groups)
      for (const code of [...group.chosen].sort((a, b) => a - b)) out.append(group.name, group.values[code]);
    return out;
  }

  const clear = () => groups.forEach((group) => group.chosen.clear());
  const active = () => groups.reduce((sum, group) => sum + group.chosen.size, 0);
  mvhm.facets = { build, choose, read, words, clear, active };
})(window.mvhm);
