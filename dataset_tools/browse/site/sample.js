// The page of a sample: views with labels, the hand in space, metadata, the line that loads it.
'use strict';
(function (mvhm) {
  const { el } = mvhm;
  const page = document.getElementById('sample');
  const options = { label: null, opacity: 0.7, joints: true, mesh: false }; // stay as they are from sample to sample
  let views = null,
    solid = null,
    open = -1;

  const chip = (text, pressed, click, title) =>
    el('button', { type: 'button', 'aria-pressed': String(pressed), click, title }, text);

  function toolbar(sample) {
    const bar = el('div', { class: 'toolbar' });
    const fill = () => {
      const labels = [null, ...mvhm.model.layers].map((name) => {
        const there = !name || sample.layers.includes(name);
        const button = chip(name ? mvhm.labelTitle(name) : 'Photograph', options.label === name, () => {
          options.label = name;
          again();
        });
        button.disabled = !there;
        return button;
      });
      const drawn = ['joints', 'mesh'].map((name) =>
        chip(
          name === 'joints' ? 'Joints' : 'Mesh',
          options[name],
          () => {
            options[name] = !options[name];
            again();
          },
          `key ${name[0].toUpperCase()}`,
        ),
      );
      const slider = el('input', {
        type: 'range',
        min: 0,
        max: 1,
        step: 0.05,
        value: options.opacity,
        'aria-label': 'Opacity of the label',
        input: () => {
          options.opacity = Number(slider.value);
          views.draw();
        },
      });
      bar.replaceChildren(
        el('div', { class: 'chips', role: 'group', 'aria-label': 'Label over the photographs' }, ...labels),
        el(
          'div',
          { class: 'chips', role: 'group', 'aria-label': 'Drawn over' },
          ...drawn,
          el('label', { class: 'slider' }, 'Opacity', slider),
        ),
        el(
          'p',
          { class: 'legend' },
          ...mvhm.legend(sample, sample.layers.includes(options.label) ? options.label : null),
        ),
      );
    };
    const again = () => {
      const at = [...bar.querySelectorAll('button')].indexOf(document.activeElement);
      fill();
      if (at >= 0) bar.querySelectorAll('button')[at].focus();
      views.draw();
    };
    fill();
    mvhm.redraw = again;
    return bar;
  }

  /** Sample before or after, of those that the filters leave; of all, if this one is not among them. */
  function neighbour(by) {
    const shown = mvhm.gallery.shown(),
      place = mvhm.gallery.placeOf(open);
    const next = place < 0 ? open + by : shown[place + by];
    return next >= 0 && next < mvhm.index.count ? next : null;
  }

  function heading(at) {
    const verdict = mvhm.value('verdict', at),
      place = mvhm.gallery.placeOf(at),
      count = mvhm.gallery.shown().length;
    const link = (by, text, name) => {
      const next = neighbour(by);
      return el(
        'a',
        {
          class: 'step',
          href: next === null ? null : mvhm.address(next),
          'aria-label': name,
          'aria-disabled': next === null ? 'true' : null,
        },
        text,
      );
    };
    const badge = verdict
      ? [el('em', { class: verdict }, verdict === 'fail' ? 'failed validation' : 'passed validation')]
      : [];
    return el(
      'div',
      { class: 'heading' },
      el(
        'a',
        { class: 'step', href: mvhm.address(null), 'aria-label': 'All samples' },
        '←',
        el('span', {}, ' All samples'),
      ),
      el('h1', {}, `Sample ${mvhm.value('sample', at)}`),
      ...badge,
      el(
        'span',
        { class: 'where' },
        place < 0 ? '' : `${(place + 1).toLocaleString('en')} of ${count.toLocaleString('en')}`,
      ),
      link(-1, '‹', 'Previous sample'),
      link(1, '›', 'Next sample'),
    );
  }

  function facts(at, meta) {
    const tone = el(
      'span',
      {},
      el('i', { class: 'swatch', style: `background:${mvhm.monk(meta.monk_bin)}` }),
      `Monk ${meta.monk_bin}, ITA ${meta.ita.toFixed(0)}°`,
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

  function build(at, sample) {
    sample.hand_points = sample.hand_points || mvhm.points(sample.vertices);
    sample.arm_points = sample.arm_points || mvhm.points(sample.arm_vertices);
    const seen = sample.joint_visible.map((view) => view.reduce((sum, one) => sum + one, 0));
    views = new mvhm.Views(at, sample, options);
    solid = new mvhm.Solid(sample, seen.indexOf(Math.max(...seen)));
    const about = el(
      'section',
      { class: 'about' },
      el('h2', {}, 'Metadata'),
      facts(at, sample.meta),
      everything(sample.meta),
    );
    page.replaceChildren(
      heading(at),
      toolbar(sample),
      el('div', { class: 'columns' }, views.element, solid.element, about, python(at)),
      el(
        'p',
        { class: 'keys' },
        'Keys: ',
        ...[
          ['←', 'before'],
          ['→', 'after'],
          ['L', 'next label'],
          ['J', 'joints'],
          ['M', 'mesh'],
          ['Esc', 'all samples'],
        ].flatMap(([key, what]) => [el('kbd', {}, key), ` ${what}  `]),
      ),
    );
    page.dataset.ready = at;
    views.draw();
  }

  /** Show sample `at`. */
  function show(at) {
    close();
    open = at;
    page.replaceChildren(heading(at));
    mvhm.fetchSample(at).then(
      (sample) => {
        if (open === at) build(at, sample);
      },
      (error) => {
        if (open === at) page.append(el('p', { class: 'message', role: 'alert' }, error.message));
      },
    );
  }

  function close() {
    if (views) views.close();
    if (solid) solid.close();
    views = solid = null;
    open = -1;
    delete page.dataset.ready;
  }

  const go = (by) => {
    const next = neighbour(by);
    if (next !== null) location.replace(mvhm.address(next));
  };
  function nextLabel(back) {
    const names = [null, ...mvhm.model.layers],
      count = names.length;
    options.label = names[(names.indexOf(options.label) + (back ? count - 1 : 1)) % count];
    mvhm.redraw();
  }
  const flip = (name) => {
    options[name] = !options[name];
    mvhm.redraw();
  };
  const KEYS = {
    ArrowLeft: () => go(-1),
    ArrowRight: () => go(1),
    Escape: () => {
      location.hash = mvhm.address(null);
    },
    l: () => nextLabel(false),
    L: () => nextLabel(true),
    j: () => flip('joints'),
    m: () => flip('mesh'),
  };
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey;
    if (views === null || typing || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  mvhm.page = { show, close };
})(window.mvhm);
