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

  function build(at, sample) {
    sample.hand_points = sample.hand_points || mvhm.points(sample.vertices);
    sample.arm_points = sample.arm_points || mvhm.points(sample.arm_vertices);
    const seen = sample.joint_visible.map((view) => view.reduce((sum, one) => sum + one, 0));
    views = new mvhm.Views(at, sample, options);
    solid = new mvhm.Solid(sample, seen.indexOf(Math.max(...seen)));
    const about = mvhm.metadata(at, sample.meta);
    page.replaceChildren(
      heading(at),
      toolbar(sample),
      el('div', { class: 'columns' }, views.element, solid.element, about, mvhm.python(at)),
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
    const names = [null, ...views.sample.layers], // those that this sample has
      place = Math.max(0, names.indexOf(options.label));
    options.label = names[(place + (back ? names.length - 1 : 1)) % names.length];
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
