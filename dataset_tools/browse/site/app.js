// Which page is shown is in the address after #: filters, and a sample if one is open.
'use strict';
(function (mvhm) {
  const part = (id) => document.getElementById(id);
  const { facets, gallery, page, index } = mvhm;
  const number = (value) => value.toLocaleString('en');
  let chosen = null,
    scrolled = 0,
    opened = null;

  /** The address of sample `at`, or of all (null), with the filters as they are. */
  mvhm.address = function (at) {
    const words = facets.words();
    if (at !== null) words.append('sample', at);
    return `#${words}`;
  };

  function filter() {
    const samples = facets.choose(),
      active = facets.active();
    part('count').textContent = active
      ? `${number(samples.length)} of ${number(index.count)} samples`
      : `${number(index.count)} samples`;
    part('active').textContent = active ? String(active) : '';
    part('reset').hidden = !active;
    gallery.show(samples);
  }

  function route() {
    const words = new URLSearchParams(location.hash.slice(1)),
      wanted = words.get('sample');
    facets.read(words);
    const choice = String(facets.words());
    const at = wanted !== null && /^\d+$/.test(wanted) && Number(wanted) < index.count ? Number(wanted) : null;
    if (opened === null && !part('gallery').hidden) scrolled = window.scrollY;
    part('gallery').hidden = at !== null;
    part('sample').hidden = at === null;
    document.body.classList.toggle('one', at !== null);
    if (choice !== chosen) {
      chosen = choice;
      filter();
    }
    if (at === null) leave();
    else enter(at);
  }

  function enter(at) {
    document.title = `Sample ${mvhm.value('sample', at)} · ${index.title}`;
    page.show(at);
    if (opened === null) window.scrollTo(0, 0);
    opened = at;
  }

  function leave() {
    const back = opened;
    opened = null;
    page.close();
    document.title = index.title;
    gallery.show(gallery.shown());
    if (back === null) return;
    window.scrollTo(0, scrolled);
    gallery.focus(Math.max(0, gallery.placeOf(back)));
  }

  function changed() {
    window.scrollTo(0, 0);
    location.replace(mvhm.address(null)); // no step back for each tick
  }

  const { V, W, H } = index.sizes;
  part('facts').textContent = `${V} views of ${W} × ${H} px`;
  part('title').title = `configuration ${index.hash}; ${index.licence}`;
  facets.read(new URLSearchParams(location.hash.slice(1)));
  facets.build(part('groups'), changed);
  part('facets').open = window.innerWidth >= 900;
  part('reset').addEventListener('click', () => {
    facets.clear();
    changed();
  });
  window.addEventListener('hashchange', route);
  route();
})(window.mvhm);
