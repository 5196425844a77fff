// The hand in space: mesh, arm, joints and the cameras around it; turns by itself until it is taken hold of.
'use strict';
(function (mvhm) {
  const { el } = mvhm;
  const { handMesh, armMesh, paint, skeleton, cameras } = mvhm.bodies;
  const FIELD = 30; // degrees, of the camera that looks
  let renderer; // one for all samples: browsers allow few

  function available() {
    if (renderer === undefined) {
      const canvas = document.createElement('canvas'),
        context = window.THREE && canvas.getContext('webgl2', { antialias: true, alpha: true });
      renderer = context ? new THREE.WebGLRenderer({ canvas, context, antialias: true, alpha: true }) : null;
      if (renderer) canvas.setAttribute('aria-label', 'The hand in space; drag to turn it');
    }
    return renderer;
  }

  /** The 3D picture of a sample, seen first from view `front`. */
  mvhm.Solid = class {
    constructor(sample, front) {
      this.sample = sample;
      this.shows = {
        mesh: true,
        joints: true,
        cameras: false,
        parts: false,
        turn: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      };
      this.stage = el('div', { class: 'stage' });
      this.marks = [];
      this.element = el(
        'section',
        { class: 'solid' },
        this.stage,
        el('div', { class: 'chips' }, ...Object.keys(this.shows).map((name) => this.chip(name))),
      );
      if (!available()) {
        this.stage.append(el('p', { class: 'message' }, 'This browser shows no 3D (WebGL 2 is off).'));
        return;
      }
      this.build(front);
      this.stage.prepend(renderer.domElement);
      this.watch = new ResizeObserver(() => this.resize());
      this.watch.observe(this.stage);
    }

    chip(name) {
      const button = el(
        'button',
        {
          type: 'button',
          'aria-pressed': this.shows[name],
          click: () => {
            this.set(name, !this.shows[name]);
          },
        },
        name,
      );
      this.chips = { ...this.chips, [name]: button };
      return button;
    }

    build(front) {
      const { sample } = this,
        [faces, armFaces] = mvhm.triangles(sample.meta.hand === 'left');
      this.group = new THREE.Group();
      this.hand = handMesh(sample, faces);
      this.arm = armMesh(sample, armFaces);
      this.bones = skeleton(sample);
      ({ lines: this.frusta, places: this.places } = cameras(sample));
      this.group.add(this.hand, this.arm, this.bones, this.frusta);
      this.stand(front);
      this.scene = new THREE.Scene();
      const sun = new THREE.DirectionalLight('#ffffff', 2.2);
      this.eye = new THREE.PerspectiveCamera(FIELD, 1, 0.01, 20);
      sun.position.set(0.4, 0.7, 1);
      this.eye.add(sun);
      this.scene.add(this.group, this.eye, new THREE.AmbientLight('#ffffff', 1.1));
      this.controls = new THREE.OrbitControls(this.eye, renderer.domElement);
      this.controls.autoRotateSpeed = 2.4;
      renderer.domElement.style.touchAction = 'pan-y'; // a finger that goes up or down moves the page
      this.controls.addEventListener('start', () => this.set('turn', false));
      this.place(front, this.near);
      for (const name of Object.keys(this.shows)) this.set(name, this.shows[name]);
      this.frame = requestAnimationFrame(() => this.step());
    }

    /** Turn the world so that view `front` stands upright, the hand's middle at the origin. */
    stand(front) {
      const m = this.sample.world_to_cam[front],
        sphere = (this.hand.geometry.computeBoundingSphere(), this.hand.geometry.boundingSphere);
      const turn = new THREE.Matrix4().set(
        m[0][0],
        m[0][1],
        m[0][2],
        0,
        -m[1][0],
        -m[1][1],
        -m[1][2],
        0,
        -m[2][0],
        -m[2][1],
        -m[2][2],
        0,
        0,
        0,
        0,
        1,
      );
      this.group.quaternion.setFromRotationMatrix(turn);
      this.group.position.copy(sphere.center).applyQuaternion(this.group.quaternion).negate();
      this.group.updateMatrixWorld();
      this.near = (1.12 * sphere.radius) / Math.sin((FIELD * Math.PI) / 360);
      const ring = this.places.map((p) => p.clone().applyMatrix4(this.group.matrixWorld).length());
      this.far = (1.12 * Math.max(...ring)) / Math.sin((FIELD * Math.PI) / 360);
    }

    /** Look from where view `view` is, from `distance` m. */
    place(view, distance) {
      this.eye.position.copy(this.places[view]).applyMatrix4(this.group.matrixWorld).setLength(distance);
      this.controls.target.set(0, 0, 0);
      this.changed = true;
      this.controls.update();
    }

    set(name, on) {
      this.shows[name] = on;
      this.changed = true;
      this.chips[name].setAttribute('aria-pressed', on);
      if (!this.controls) return;
      if (name === 'turn') this.controls.autoRotate = on;
      if (name === 'mesh') this.hand.visible = this.arm.visible = on;
      if (name === 'joints') {
        this.bones.visible = on;
        this.hand.material.opacity = on ? 0.82 : 1;
      }
      if (name === 'parts') paint(this.hand, this.sample, on);
      if (name === 'cameras') this.showCameras(on);
    }

    showCameras(on) {
      this.frusta.visible = on;
      this.marks.forEach((mark) => mark.remove());
      this.marks = !on
        ? []
        : this.places.map((_, view) =>
            el(
              'button',
              {
                type: 'button',
                class: 'mark',
                'aria-label': `Look from view ${view}`,
                click: () => {
                  this.set('turn', false);
                  this.place(view, this.near);
                },
              },
              String(view),
            ),
          );
      this.stage.append(...this.marks);
      if (on) {
        // from above, so that the ring is seen as one
        this.eye.position.y = Math.max(this.eye.position.y, 0.5 * this.near);
        this.eye.position.setLength(this.far);
      } else if (this.wasFar) this.eye.position.setLength(this.near);
      this.wasFar = on;
    }

    resize() {
      const { clientWidth: width, clientHeight: height } = this.stage;
      if (!width || !height) return;
      renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));
      renderer.setSize(width, height, false);
      this.eye.aspect = width / height;
      this.changed = true;
      this.eye.updateProjectionMatrix();
    }

    step() {
      this.frame = requestAnimationFrame(() => this.step());
      if (!this.stage.isConnected || document.hidden) return;
      const moved = this.controls.update();
      if (!moved && !this.changed) return; // a picture at rest costs nothing
      this.changed = false;
      renderer.render(this.scene, this.eye);
      this.marks.forEach((mark, view) => {
        const at = this.places[view].clone().applyMatrix4(this.group.matrixWorld).project(this.eye);
        mark.style.left = `${50 + 50 * at.x}%`;
        mark.style.top = `${50 - 50 * at.y}%`;
      });
    }

    close() {
      cancelAnimationFrame(this.frame);
      if (!this.controls) return;
      this.watch.disconnect();
      this.controls.dispose();
      this.group.traverse((part) => {
        if (part.geometry) {
          part.geometry.dispose();
          part.material.dispose();
        }
      });
    }
  };
})(window.mvhm);
