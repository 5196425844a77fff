// Joints and mesh as they are drawn over a view. `scale` is canvas pixels per pixel of the photograph.
'use strict';
(function (mvhm) {
  const INK = '#262a33';

  /** Bones and joints; those that are not visible are hollow. */
  mvhm.drawJoints = function (context, sample, view, scale) {
    const { joint_parents: parents, joint_colours: colours } = mvhm.model;
    const at = sample.joints_2d[view].map(([x, y]) => [x * scale, y * scale]),
      unit = context.canvas.width / 256;
    for (const [width, ink] of [
      [3.4, true],
      [2, false],
    ]) {
      parents.forEach((parent, joint) => {
        if (parent < 0) return;
        context.beginPath();
        context.moveTo(...at[parent]);
        context.lineTo(...at[joint]);
        context.lineWidth = width * unit;
        context.strokeStyle = ink ? INK : mvhm.rgb(colours[joint]);
        context.stroke();
      });
    }
    at.forEach(([x, y], joint) => {
      const colour = mvhm.rgb(colours[joint]);
      disc(context, x, y, 3.6 * unit, INK);
      disc(context, x, y, 2.9 * unit, colour);
      if (!sample.joint_visible[view][joint]) disc(context, x, y, 1.8 * unit, '#fff');
    });
  };

  function disc(context, x, y, radius, colour) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }

  /** Triangles of hand and arm as they face the outside; of a left hand they are stored the other way round. */
  mvhm.triangles = function (left) {
    const kept = (mvhm.kept = mvhm.kept || {}),
      name = left ? 'left' : 'right';
    if (!kept[name]) {
      kept[name] = ['faces', 'arm_faces'].map((faces) => {
        const out = mvhm.words(mvhm.model[faces]);
        if (left) for (let i = 0; i < out.length; i += 3) [out[i], out[i + 2]] = [out[i + 2], out[i]];
        return out;
      });
    }
    return kept[name];
  };

  /** Where a lens takes a point of the plane z = 1: k1, k2, p1, p2, k3 as OpenCV has them. */
  function distorted(x, y, [k1, k2, p1, p2, k3]) {
    const square = x * x + y * y,
      radial = 1 + square * (k1 + square * (k2 + square * k3)) + 2 * (p2 * x + p1 * y);
    return [x * radial + p2 * square, y * radial + p1 * square];
  }

  /** Pixels and depths of points: x, y, z in a row. */
  function projected(points, K, matrix, lens, scale) {
    const out = new Float32Array(points.length);
    for (let i = 0; i < points.length; i += 3) {
      const [x, y, z] = mvhm.toCamera(matrix, points, i),
        [u, v] = lens ? distorted(x / z, y / z, lens) : [x / z, y / z];
      out[i] = scale * (K[0][0] * u + K[0][1] * v + K[0][2]);
      out[i + 1] = scale * (K[1][1] * v + K[1][2]);
      out[i + 2] = z;
    }
    return out;
  }

  /** Triangles that look at the camera: [depth, corners ..., whether of the arm]. */
  function facing(pixels, faces, arm, found) {
    for (let i = 0; i < faces.length; i += 3) {
      const [a, b, c] = [3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2]];
      const turn =
        (pixels[b] - pixels[a]) * (pixels[c + 1] - pixels[a + 1]) -
        (pixels[b + 1] - pixels[a + 1]) * (pixels[c] - pixels[a]);
      if (turn < 0) found.push([pixels[a + 2] + pixels[b + 2] + pixels[c + 2], pixels, a, b, c, arm]);
    }
  }

  /** The mesh's edges, the farthest triangle first, each wiping out what is behind it; the arm only hides. */
  mvhm.drawMesh = function (context, sample, view, scale) {
    const layer = document.createElement('canvas'),
      found = [];
    layer.width = context.canvas.width;
    layer.height = context.canvas.height;
    const [faces, armFaces] = mvhm.triangles(sample.meta.hand === 'left'),
      K = sample.K[view],
      matrix = sample.world_to_cam[view],
      lens = sample.distortion && sample.distortion[view];
    facing(projected(sample.hand_points, K, matrix, lens, scale), faces, false, found);
    facing(projected(sample.arm_points, K, matrix, lens, scale), armFaces, true, found);
    found.sort((one, other) => other[0] - one[0]);
    const pen = layer.getContext('2d');
    pen.lineWidth = Math.max(0.5, layer.width / 900);
    pen.lineJoin = 'round';
    pen.strokeStyle = scale < 4 ? 'rgba(120,225,255,.5)' : 'rgba(120,225,255,.85)';
    for (const [, pixels, a, b, c, arm] of found) {
      pen.beginPath();
      for (const corner of [a, b, c]) pen.lineTo(pixels[corner], pixels[corner + 1]);
      pen.closePath();
      pen.globalCompositeOperation = 'destination-out';
      pen.fill();
      pen.globalCompositeOperation = 'source-over';
      if (!arm) pen.stroke();
    }
    context.drawImage(layer, 0, 0);
  };
})(window.mvhm);
