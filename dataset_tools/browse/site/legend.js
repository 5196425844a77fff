// What a label's colours mean.
'use strict';
(function (mvhm) {
  const { el } = mvhm;
  const VIRIDIS = '#440154,#482878,#3e4989,#31688e,#26828e,#1f9e89,#35b779,#6ece58,#b5de2b,#fde725';
  const HUES = [0, 60, 120, 180, 240, 300, 360].map((hue) => `hsl(${hue} 85% 55%)`).join(',');
  const TITLES = {
    mask: 'Mask',
    amodal_mask: 'Amodal mask',
    alpha: 'Alpha',
    parts: 'Parts',
    depth: 'Depth',
    normals: 'Normals',
    flow_forward: 'Flow to t + 1',
    flow_backward: 'Flow to t − 1',
    flow_forward_visible: 'Seen at t + 1',
    flow_backward_visible: 'Seen at t − 1',
  };

  const dot = (colour, text) =>
    el('span', { class: 'key' }, el('i', { class: 'swatch', style: `background:${colour}` }), text);

  function depth(sample) {
    const [near, far] = sample.ranges.depth.map((z) => `${(1000 * z).toFixed(0)} mm`);
    const bar = el('i', { class: 'bar', style: `background:linear-gradient(to left,${VIRIDIS})` });
    return [near, bar, far, ' along the camera’s z'];
  }

  function flow(sample, name) {
    const wheel = el('i', {
      class: 'wheel',
      style: `background:radial-gradient(#fff,transparent 70%),conic-gradient(from 90deg,${HUES})`,
    });
    return [wheel, `where the surface goes; full colour is ${sample.ranges[name][0].toFixed(1)} px, white is rest`];
  }

  function parts() {
    const { part_names: names, part_colours: colours } = mvhm.model;
    return names
      .map((name, i) => [name.replace(/_/g, ' '), i])
      .slice(1)
      .map(([name, i]) => dot(mvhm.rgb(colours[i]), name));
  }

  const seen = (there) => [
    dot('rgb(46,160,90)', `in sight ${there}`),
    dot('rgb(225,87,60)', 'hidden or out of the picture'),
  ];
  const SAYS = {
    mask: () => [dot('rgb(235,64,90)', 'the hand where it is seen; the arm is no part of it')],
    amodal_mask: () => [dot('rgb(120,94,240)', 'the whole hand, also where the arm hides it')],
    alpha: () => [dot('rgb(38,166,154)', 'coverage by hand and arm, anti-aliased')],
    parts,
    depth,
    normals: () => [dot('#ff8080', 'to the right'), dot('#80ff80', 'upwards'), dot('#8080ff', 'towards the camera')],
    flow_forward: (sample) => flow(sample, 'flow_forward'),
    flow_backward: (sample) => flow(sample, 'flow_backward'),
    flow_forward_visible: () => seen('at t + 1'),
    flow_backward_visible: () => seen('at t − 1'),
  };

  /** The legend of a label as nodes; of none, how joints are drawn. */
  mvhm.legend = (sample, name) =>
    name ? SAYS[name](sample) : ['Filled joints are visible, hollow ones hidden. A click on a view enlarges it.'];
  mvhm.labelTitle = (name) => TITLES[name] || name.replace(/_/g, ' ');
})(window.mvhm);
