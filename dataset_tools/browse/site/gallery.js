// Thumbnails of the samples that pass the filters. Only those in sight are in the page, so 10,000 scroll as 50 do.
'use strict';
(function (mvhm) {
  const { el } = mvhm;
  const GAP = 10,
    CAPTION = 44,
    BEYOND = 2; // px; px; rows kept above and below what is in sight
  const grid = document.getElementById('grid'),
    nothing = document.getElementById('nothing');
  let shown = [],
    columns = 1,
    side = 128,
    step = 1,
    current = 0;
  const tiles = new Map(); // place among those shown -> its element
  let spare = [],
    asked = false;

  function measure() {
    const width = grid.clientWidth,
      wanted = width < 600 ? 104 : 136;
    columns = Math.max(2, Math.floor((width + GAP) / (wanted + GAP)));
    side = Math.floor((width - GAP * (columns - 1)) / columns);
    step = side + CAPTION + GAP;
    grid.style.height = `${Math.ceil(shown.length / columns) * step}px`;
  }

  function newTile() {
    return el('a', { class: 'tile' }, el('i', {}), el('b', {}), el('span', {}));
  }

  function fill(tile, place) {
    const at = shown[place],
      { side: across, block } = mvhm.index.sheet;
    const number = at % block,
      sheet = String(Math.floor(at / block)).padStart(5, '0');
    const rows = Math.ceil(Math.min(block, mvhm.index.count - at + number) / across);
    const [thumb, name, about] = tile.children,
      value = (column) => mvhm.value(column, at);
    thumb.style.cssText =
      `width:${side}px;height:${side}px;background-image:url(sheets/${sheet}.jpg);` +
      `background-size:${side * across}px ${side * rows}px;` +
      `background-position:${-(number % across) * side}px ${-Math.floor(number / across) * side}px`;
    tile.style.transform = `translate(${(place % columns) * (side + GAP)}px, ${Math.floor(place / columns) * step}px)`;
    tile.style.width = `${side}px`;
    tile.href = mvhm.address(at);
    tile.dataset.place = place;
    name.textContent = `${value('sample')} · ${value('split')}`;
    about.textContent = value('gesture');
    tile.title = `subject ${value('subject')}, ${value('gesture')}`;
    tile.classList.toggle('fail', value('verdict') === 'fail');
    tile.setAttribute(
      'aria-label',
      `Sample ${value('sample')}, ${value('gesture')}, subject ${value('subject')}, ` +
        `${value('split')}${value('verdict') === 'fail' ? ', failed validation' : ''}`,
    );
  }

  function draw() {
    asked = false;
    if (grid.offsetParent === null) return;
    const top = grid.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / step) - BEYOND) * columns;
    const last = Math.min(shown.length, (Math.ceil((window.innerHeight - top) / step) + BEYOND) * columns);
    for (const [place, tile] of tiles)
      if (place < first || place >= last) {
        tile.remove();
        spare.push(tile);
        tiles.delete(place);
      }
    for (let place = first; place < last; place++) {
      if (tiles.has(place)) continue;
      const tile = spare.pop() || newTile();
      fill(tile, place);
      tiles.set(place, tile);
      grid.append(tile);
    }
    const reachable = tiles.has(current) ? current : Math.max(first, Math.ceil(-top / step) * columns);
    for (const [place, tile] of tiles) tile.tabIndex = place === reachable ? 0 : -1;
    spare = spare.slice(0, 100);
  }

  function drawSoon() {
    if (!asked) {
      asked = true;
      requestAnimationFrame(draw);
    }
  }

  function again() {
    const held = grid.contains(document.activeElement);
    for (const tile of tiles.values()) {
      tile.remove();
      spare.push(tile);
    }
    tiles.clear();
    measure();
    draw();
    if (held && tiles.has(current)) tiles.get(current).focus({ preventScroll: true });
  }

  /** Show these samples, from the first row on. */
  function show(samples) {
    shown = samples;
    current = Math.min(current, Math.max(0, shown.length - 1));
    nothing.hidden = shown.length > 0;
    again();
  }

  /** Bring a place into sight and give it the keyboard. */
  function focus(place) {
    current = Math.max(0, Math.min(shown.length - 1, place));
    const top = grid.getBoundingClientRect().top + Math.floor(current / columns) * step,
      room = window.innerHeight;
    const head = document.getElementById('head').offsetHeight + GAP;
    if (top < head) window.scrollBy(0, top - head);
    else if (top + step > room) window.scrollBy(0, top + step - room);
    draw();
    const tile = tiles.get(current);
    if (tile) tile.focus({ preventScroll: true });
  }

  const MOVES = {
    ArrowLeft: () => -1,
    ArrowRight: () => 1,
    ArrowUp: () => -columns,
    ArrowDown: () => columns,
    PageUp: () => -columns * Math.max(1, Math.floor(window.innerHeight / step)),
    PageDown: () => columns * Math.max(1, Math.floor(window.innerHeight / step)),
    Home: () => -shown.length,
    End: () => shown.length,
  };

  grid.addEventListener('keydown', (event) => {
    if (!MOVES[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    focus(current + MOVES[event.key]());
  });
  grid.addEventListener('focusin', (event) => {
    const tile = event.target.closest('.tile');
    if (tile) current = Number(tile.dataset.place);
  });
  window.addEventListener('scroll', drawSoon, { passive: true });
  new ResizeObserver(() => {
    if (grid.offsetParent !== null) again();
  }).observe(grid.parentElement);

  mvhm.gallery = { show, focus, draw: drawSoon, shown: () => shown, placeOf: (at) => shown.indexOf(at) };
})(window.mvhm);
