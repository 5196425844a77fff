// All views of a sample: the photograph, one label over it, joints and mesh, each on a canvas as sharp as the screen.
'use strict';
(function (mvhm) {
  const { el } = mvhm;

  /** The views as a grid; `options` are {label, opacity, joints, mesh}, and are read anew by `draw`. */
  mvhm.Views = class {
    constructor(at, sample, options) {
      this.at = at;
      this.sample = sample;
      this.options = options;
      this.sheets = new Map();
      this.figures = sample.K.map((_, view) => this.figure(view));
      this.element = el('div', { class: 'views' }, ...this.figures.map((figure) => figure.element));
      this.watch = new ResizeObserver(() => this.draw());
      this.watch.observe(this.element);
    }

    figure(view) {
      const canvas = el('canvas', { width: 1, height: 1 }),
        said = el('span', {});
      const toggle = () => {
        const large = element.classList.toggle('large');
        element.setAttribute('aria-pressed', large);
        for (const other of large ? this.figures : []) if (other.element !== element) this.shrink(other.element);
        this.draw();
        element.scrollIntoView({ block: 'nearest' });
      };
      const element = el(
        'figure',
        {
          tabindex: 0,
          role: 'button',
          'aria-pressed': 'false',
          'aria-label': `View ${view}, enlarge`,
          click: toggle,
          keydown: (event) => {
            if (event.key === 'Enter' || event.key === ' ') {
              event.preventDefault();
              toggle();
            }
          },
          pointermove: (event) => {
            said.textContent = this.nearest(view, canvas, event);
          },
          pointerleave: () => {
            said.textContent = '';
          },
        },
        canvas,
        el('figcaption', {}, el('b', {}, String(view)), said),
      );
      return { element, canvas };
    }

    shrink(element) {
      element.classList.remove('large');
      element.setAttribute('aria-pressed', 'false');
    }

    /** The joint under the pointer in words. */
    nearest(view, canvas, event) {
      const box = canvas.getBoundingClientRect(),
        scale = box.width / mvhm.model.sizes.W,
        { sample } = this;
      const [x, y] = [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
      const away = sample.joints_2d[view].map((joint) => Math.hypot(joint[0] - x, joint[1] - y));
      const joint = away.indexOf(Math.min(...away));
      if (away[joint] * scale > 14) return `${x.toFixed(0)}, ${y.toFixed(0)} px`;
      const [u, v] = sample.joints_2d[view][joint],
        seen = sample.joint_visible[view][joint] ? '' : ', hidden';
      return `${mvhm.model.joint_names[joint]} ${u.toFixed(1)}, ${v.toFixed(1)} px, ${(1000 * sample.joints_z[view][joint]).toFixed(0)} mm${seen}`;
    }

    /** The sheet of that name, once it is loaded; it is drawn then. */
    sheet(name) {
      if (!this.sheets.has(name)) {
        this.sheets.set(name, null);
        mvhm.fetchSheet(this.at, name).then(
          (image) => {
            this.sheets.set(name, image);
            this.draw();
          },
          (error) => this.fail(error),
        );
      }
      return this.sheets.get(name);
    }

    fail(error) {
      if (this.element.isConnected) this.element.before(el('p', { class: 'message', role: 'alert' }, error.message));
    }

    draw() {
      if (!this.element.isConnected) return;
      const { W, H } = mvhm.model.sizes,
        ratio = window.devicePixelRatio || 1;
      this.figures.forEach(({ element, canvas }, view) => {
        const width = Math.max(1, Math.round(element.clientWidth * ratio));
        canvas.width = width; // wipes it, too
        canvas.height = Math.round((width * H) / W);
        this.paint(canvas.getContext('2d'), view, width / W);
      });
    }

    paint(context, view, scale) {
      const { label, opacity, joints, mesh } = this.options,
        photo = this.sheet('rgb');
      if (photo) this.cut(context, photo, view, true);
      const over = label && this.sample.layers.includes(label) ? this.sheet(label) : null;
      if (over) {
        context.globalAlpha = opacity;
        this.cut(context, over, view, false);
        context.globalAlpha = 1;
      }
      if (mesh) mvhm.drawMesh(context, this.sample, view, scale);
      if (joints) mvhm.drawJoints(context, this.sample, view, scale);
    }

    /** A view's part of a sheet, over the whole canvas. */
    cut(context, sheet, view, smooth) {
      const {
        sizes: { W, H },
        sheet_columns: across,
      } = mvhm.model;
      context.imageSmoothingEnabled = smooth;
      context.imageSmoothingQuality = 'high';
      context.drawImage(
        sheet,
        (view % across) * W,
        Math.floor(view / across) * H,
        W,
        H,
        0,
        0,
        context.canvas.width,
        context.canvas.height,
      );
    }

    close() {
      this.watch.disconnect();
    }
  };
})(window.mvhm);
