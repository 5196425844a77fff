// Small tools of all pages. Classic scripts that share one name: pages opened from a folder can load no modules.
'use strict';
window.mvhm = window.mvhm || {};

(function (mvhm) {
  /** An element with attributes (functions are listeners) and children (texts stay texts). */
  mvhm.el = function (tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === 'function') element.addEventListener(name, value);
      else if (value !== false && value != null) element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children);
    return element;
  };

  /** Bytes of a text in base64. */
  mvhm.bytes = function (text) {
    const raw = atob(text),
      out = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out;
  };

  /** Whole numbers of 16 bits, the low byte first. */
  mvhm.words = function (text) {
    const bytes = mvhm.bytes(text),
      out = new Uint16Array(bytes.length / 2);
    for (let i = 0; i < out.length; i++) out[i] = bytes[2 * i] | (bytes[2 * i + 1] << 8);
    return out;
  };

  /** Points as x, y, z in a row, m, from whole numbers between the least and greatest coordinate. */
  mvhm.points = function (packed) {
    const steps = mvhm.words(packed.steps),
      out = new Float32Array(steps.length);
    for (let i = 0; i < out.length; i++) {
      const low = packed.low[i % 3],
        high = packed.high[i % 3];
      out[i] = low + ((high - low) * steps[i]) / 65535;
    }
    return out;
  };

  /** World point at `at` of `points` in a camera: x, y, z in m (OpenCV's axes). */
  mvhm.toCamera = function (matrix, points, at) {
    const [x, y, z] = [points[at], points[at + 1], points[at + 2]];
    return matrix.map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]);
  };

  const waiting = new Map(),
    kept = new Map(),
    KEPT = 8;

  /** Called by a sample's script. */
  mvhm.receive = function (key, sample) {
    kept.set(key, sample);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  };

  /** Where the files of sample `at` of the release begin. */
  mvhm.key = function (at) {
    const { shard, row } = mvhm.index.columns;
    return `shard-${String(shard[at]).padStart(5, '0')}/${String(row[at]).padStart(4, '0')}`;
  };

  /** A promise of sample `at`, which its script brings. */
  mvhm.fetchSample = function (at) {
    const key = mvhm.key(at);
    if (kept.has(key)) return Promise.resolve(kept.get(key));
    if (!waiting.has(key)) {
      waiting.set(
        key,
        new Promise((resolve, reject) => {
          const script = document.createElement('script');
          const end = (outcome) => {
            waiting.delete(key);
            script.remove();
            outcome();
          };
          script.onload = () => end(() => resolve(kept.get(key)));
          script.onerror = () => end(() => reject(new Error(`samples/${key}.js is missing`)));
          script.src = `samples/${key}.js`;
          document.head.append(script);
        }),
      );
    }
    return waiting.get(key);
  };

  /** A promise of a sheet of all views; `name` is "rgb" or a label. */
  mvhm.fetchSheet = function (at, name) {
    return new Promise((resolve, reject) => {
      const image = new Image(),
        url = `samples/${mvhm.key(at)}-${name}.${name === 'rgb' ? 'jpg' : 'webp'}`;
      image.onload = () => resolve(image);
      image.onerror = () => reject(new Error(`${url} is missing`));
      image.src = url;
    });
  };

  /** What a column of the index says of sample `at`. */
  mvhm.value = function (name, at) {
    const column = mvhm.index.columns[name];
    return Array.isArray(column) ? column[at] : column.values[column.codes[at]];
  };

  mvhm.rgb = (colour) => `rgb(${colour.join(',')})`;
})(window.mvhm);
