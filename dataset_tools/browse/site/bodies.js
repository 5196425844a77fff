// What stands in the 3D picture: flesh, skeleton, cameras.
'use strict';
(function (mvhm) {
  function geometry(points, faces) {
    const shape = new THREE.BufferGeometry();
    shape.setAttribute('position', new THREE.BufferAttribute(points, 3));
    shape.setIndex(new THREE.BufferAttribute(faces, 1));
    shape.computeVertexNormals();
    return shape;
  }

  const skinOf = (sample) => new THREE.Color(mvhm.monk(sample.meta.monk_bin) || '#d7bd96');

  /** The hand, each triangle in a colour of its own, so that parts have sharp borders. */
  function handMesh(sample, faces) {
    const shape = geometry(sample.hand_points, faces).toNonIndexed();
    shape.setAttribute('color', new THREE.BufferAttribute(new Float32Array(faces.length * 3), 3));
    return new THREE.Mesh(
      shape,
      new THREE.MeshLambertMaterial({ vertexColors: true, side: THREE.DoubleSide, transparent: true }),
    );
  }

  function paint(mesh, sample, byParts) {
    const skin = skinOf(sample),
      colours = mesh.geometry.attributes.color;
    const parts = mvhm.bytes(mvhm.model.face_part),
      palette = mvhm.model.part_colours.map((rgb) => new THREE.Color(mvhm.rgb(rgb)));
    for (let i = 0; i < colours.count; i++) {
      const colour = byParts ? palette[parts[Math.floor(i / 3)]] : skin;
      colours.setXYZ(i, colour.r, colour.g, colour.b);
    }
    colours.needsUpdate = true;
  }

  /** Balls and bones, seen through the flesh. */
  function skeleton(sample) {
    const group = new THREE.Group(),
      at = sample.joints_world.map((joint) => new THREE.Vector3(...joint));
    const { joint_parents: parents, joint_colours: colours } = mvhm.model,
      up = new THREE.Vector3(0, 1, 0);
    const ball = new THREE.SphereGeometry(0.0032, 16, 12);
    parents.forEach((parent, joint) => {
      const material = new THREE.MeshLambertMaterial({
        color: mvhm.rgb(colours[joint]),
        depthTest: false,
        transparent: true,
      });
      const dot = new THREE.Mesh(ball, material);
      dot.position.copy(at[joint]);
      dot.renderOrder = 3;
      group.add(dot);
      if (parent < 0) return;
      const along = at[joint].clone().sub(at[parent]);
      const bone = new THREE.Mesh(new THREE.CylinderGeometry(0.0016, 0.0016, along.length(), 8), material);
      bone.position.copy(at[parent]).addScaledVector(along, 0.5);
      bone.quaternion.setFromUnitVectors(up, along.normalize());
      bone.renderOrder = 2;
      group.add(bone);
    });
    return group;
  }

  /** Where a camera stands, and the corners of its picture at `depth` m before it, in the world. */
  function frustum(K, matrix, depth) {
    const { W, H } = mvhm.model.sizes,
      turn = matrix.map((row) => row.slice(0, 3)),
      shift = matrix.map((row) => row[3]);
    const world = (p) =>
      new THREE.Vector3(...[0, 1, 2].map((k) => [0, 1, 2].reduce((sum, i) => sum + turn[i][k] * (p[i] - shift[i]), 0)));
    const corner = (u, v) => world([((u - K[0][2]) / K[0][0]) * depth, ((v - K[1][2]) / K[1][1]) * depth, depth]);
    return [world([0, 0, 0]), corner(0, 0), corner(W, 0), corner(W, H), corner(0, H)];
  }

  function cameras(sample) {
    const points = [],
      places = [];
    sample.K.forEach((K, view) => {
      const [eye, a, b, c, d] = frustum(K, sample.world_to_cam[view], 0.16);
      places.push(eye);
      points.push(eye, a, eye, b, eye, c, eye, d, a, b, b, c, c, d, d, a);
    });
    const lines = new THREE.LineSegments(
      new THREE.BufferGeometry().setFromPoints(points),
      new THREE.LineBasicMaterial({ color: '#7a8494' }),
    );
    return { lines, places };
  }

  /** The arm: bare, or in a sleeve of whatever cloth as grey. */
  function armMesh(sample, faces) {
    const color = sample.meta.arm_style === 'bare' ? skinOf(sample) : new THREE.Color('#8d939e');
    const material = new THREE.MeshLambertMaterial({ color, side: THREE.DoubleSide });
    return new THREE.Mesh(geometry(sample.arm_points, faces), material);
  }

  mvhm.bodies = { handMesh, armMesh, paint, skeleton, cameras };
})(window.mvhm);
