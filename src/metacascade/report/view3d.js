// The view of report/view3d.py: the section before this script has `head` (JSON) and `data` (gzip, base64) in it.
// Its state can be given behind the address: #view3d:frame=2,axis=z,at=0,slab=60,color=emt,yaw=30,pitch=20,zoom=2,cells=0
"use strict";
((root) => (async () => {
  const el = (name) => root.querySelector(`[name=${name}]`), of = (name) => root.querySelector(`.${name}`);
  const fail = (text) => { root.dataset.state = "failed"; of("status").textContent = text; };
  const head = JSON.parse(of("head").textContent);
  const canvas = of("scene"), over = of("over"), pen = over.getContext("2d");
  const gl = canvas.getContext("webgl2", { antialias: true, alpha: false, preserveDrawingBuffer: true });
  if (!gl || !window.DecompressionStream) return fail("No 3-D view: this browser has no WebGL 2, or it is switched off.");

  // --- data
  const zipped = Uint8Array.from(atob(of("data").textContent.trim()), (c) => c.charCodeAt(0));
  const raw = await new Response(new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  let at = 0;
  const take = (Kind, n) => { const part = new Kind(raw, at, n); at += part.byteLength; return part; };
  const { entries: E, cells: N, vessels: V, frames: F } = head.numbers;
  const entryTime = take(Float32Array, E), entryPlace = take(Uint16Array, 3 * E);
  const cellPlace = take(Uint16Array, 3 * N), ends = take(Uint16Array, 6 * V);
  const attributes = { clone: take(Uint8Array, N), emt: take(Uint8Array, N), zone: take(Uint8Array, N) };
  const radius = take(Uint8Array, V), vesselState = take(Uint8Array, F * V);

  // --- what is drawn with
  const SEE = `#version 300 es
    precision highp float;
    uniform mat3 turn; uniform vec3 low, span, middle; uniform vec2 size, shift; uniform float scale, depth;
    vec3 um(vec3 p) { return low + p * span; }
    vec3 seen(vec3 at) { vec3 v = turn * (at - middle); return vec3(v.xy * scale + shift, v.z / depth); }
    vec4 screen(vec3 v) { return vec4(v.xy * 2.0 / size, -0.9 * v.z, 1.0); }\n`;
  const POINT = SEE + `
    in vec3 place, color; uniform float width, least, front;
    out vec3 at, tint; out float far, wide;
    void main() { at = um(place); tint = color; vec3 v = seen(at); far = 0.5 - 0.5 * v.z; wide = max(width * scale, least);
      gl_Position = screen(vec3(v.xy, v.z + front)); gl_PointSize = wide; }`;
  const TUBE = SEE + `
    in vec3 a, b, color; in float radius; uniform float widest, least;
    out vec3 at, tint; out float far, side;
    void main() { bool first = gl_VertexID < 2; vec3 p = seen(um(a)), q = seen(um(b)), v = first ? p : q;
      at = um(first ? a : b); tint = color; far = 0.5 - 0.5 * v.z; side = gl_VertexID % 2 == 0 ? -1.0 : 1.0;
      vec2 d = q.xy - p.xy; d = length(d) < 1e-4 ? vec2(1.0, 0.0) : normalize(d);
      float half_width = 0.5 * max(2.0 * radius * widest * scale, least);
      gl_Position = screen(vec3(v.xy + vec2(-d.y, d.x) * side * half_width, v.z)); }`;
  const INK = `#version 300 es
    precision highp float;
    uniform vec3 along, open; uniform vec2 slab; uniform bool opened; uniform float fade; in vec3 at, tint; in float far; out vec4 ink;
    void hide() { if (abs(dot(along, at) - slab.x) > slab.y || opened && at.x > open.x && at.y < open.y) discard; }
    vec3 faded(vec3 c) { return mix(c, vec3(1.0), fade * clamp(far, 0.0, 1.0)); }\n`;
  const BALL = INK + `in float wide; void main() { hide(); vec2 q = gl_PointCoord * 2.0 - 1.0; float r = length(q); if (r > 1.0) discard;
      ink = vec4(faded(tint * (r > 1.0 - 1.5 / wide && wide > 7.0 ? 0.55 : 0.97 - 0.25 * r * r)), 1.0); }`;
  const CROSS = INK + `void main() { hide(); vec2 q = gl_PointCoord * 2.0 - 1.0; float d = min(abs(q.x - q.y), abs(q.x + q.y));
      if (d > 0.5 || max(abs(q.x), abs(q.y)) > 0.9) discard; ink = vec4(d < 0.28 ? tint : vec3(1.0), 1.0); }`;
  const PIPE = INK + `in float side; void main() { hide(); ink = vec4(faded(tint * (1.0 - 0.45 * side * side)), 1.0); }`;

  const program = (...sources) => {
    const made = gl.createProgram();
    sources.forEach((source, i) => {
      const shader = gl.createShader(i ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
      gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(made, shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    });
    gl.linkProgram(made);
    return made;
  };
  // A layer: a program and its attributes, name -> [buffer or null, numbers each, type, divisor, stride, offset]
  const layer = (vertex, fragment, inputs) => {
    const made = { program: program(vertex, fragment), array: gl.createVertexArray(), buffers: {} };
    gl.bindVertexArray(made.array);
    for (const [name, [source, n, type, divisor = 0, stride = 0, offset = 0]] of Object.entries(inputs)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, made.buffers[name] = source || gl.createBuffer());
      const location = gl.getAttribLocation(made.program, name);
      gl.enableVertexAttribArray(location); gl.vertexAttribDivisor(location, divisor);
      gl.vertexAttribPointer(location, n, type, true, stride, offset);
    }
    return made;
  };
  const fill = (made, name, data) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, made.buffers[name]); gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
  };
  const SHORT = gl.UNSIGNED_SHORT, BYTE = gl.UNSIGNED_BYTE;
  const cells = layer(POINT, BALL, { place: [null, 3, SHORT], color: [null, 3, BYTE] });
  const crosses = layer(POINT, CROSS, { place: [null, 3, SHORT], color: [null, 3, BYTE] });
  const pair = gl.createBuffer();           // a and b of a piece stand side by side in it
  const tubes = layer(TUBE, PIPE, { a: [pair, 3, SHORT, 1, 12, 0], b: [pair, 3, SHORT, 1, 12, 6],
    radius: [null, 1, BYTE, 1], color: [null, 3, BYTE, 1] });

  // --- colors
  const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
  const ramp = (colors, t) => {
    const x = Math.min(Math.max(t, 0), 1) * (colors.length - 1), i = Math.min(Math.floor(x), colors.length - 2);
    return colors[i].map((c, k) => Math.round(c + (colors[i + 1][k] - c) * (x - i)));
  };
  const table = (colors) => Array.from({ length: 256 }, (_, i) => colors[Math.min(i, colors.length - 1)].map(Math.round));
  const emt = head.emt.map(rgb), maturity = head.maturity.map(rgb), [shut, growing] = [head.shut, head.growing].map(rgb);
  const CELL = { clone: table(head.clones.map(([color]) => rgb(color))), zone: table(head.zones.map(([color]) => rgb(color))),
    emt: Array.from({ length: 256 }, (_, i) => ramp(emt, i / 255)) };
  const VESSEL = Array.from({ length: 256 }, (_, i) => [[0, 0, 0], ramp(maturity, (i & 31) / 31), shut, growing][i >> 6]);
  const visible = (state) => state > 63 && (state & 32 || el("near").value === "all");
  const picked = (values, n, rows) => {
    const out = new values.constructor(n * rows.length);
    rows.forEach((row, i) => out.set(values.subarray(n * row, n * (row + 1)), n * i));
    return out;
  };
  const colored = (values, colors) => {
    const out = new Uint8Array(3 * values.length);
    values.forEach((value, i) => out.set(colors[value], 3 * i));
    return out;
  };

  // --- state
  let box, middle, reach;                   // of what is shown
  const bound = () => {
    box = el("near").value === "all" ? head.all_box : head.box; middle = box.map(([low, high]) => (low + high) / 2);
    reach = Math.hypot(...box.map(([low, high]) => high - low)) / 2;
  };
  const view = { yaw: 30, pitch: 20, zoom: 1, x: 0, y: 0 };
  const shown = { cells: 0, vessels: 0, entries: 0 };
  const number = (n) => n.toLocaleString("en-US");
  const LOOK = { x: [90, 0, 1.4], y: [0, 0, 1.4], z: [0, 90, 1.4], oblique: [30, 20, 1] };
  const look = (name) => { [view.yaw, view.pitch, view.zoom] = LOOK[name]; view.x = view.y = 0; draw(); };

  const load = () => {                      // what changes with the frame and the choice of colors
    const f = +el("frame").value, frame = head.frames[f], [first, n] = frame.cells;
    fill(cells, "place", cellPlace.subarray(3 * first, 3 * (first + n)));
    fill(cells, "color", colored(attributes[el("color").value].subarray(first, first + n), CELL[el("color").value]));
    const states = vesselState.subarray(f * V, (f + 1) * V);
    const pieces = [];
    states.forEach((state, i) => { if (visible(state)) pieces.push(i); });
    fill(tubes, "a", picked(ends, 6, pieces)); fill(tubes, "radius", picked(radius, 1, pieces));
    fill(tubes, "color", colored(picked(states, 1, pieces), VESSEL));
    const since = el("late").value === "day" ? frame.time_h - 24 : -1, some = [];
    for (let i = 0; i < E; i++) if (entryTime[i] > since && entryTime[i] <= frame.time_h) some.push(i);
    fill(crosses, "place", picked(entryPlace, 3, some));
    fill(crosses, "color", new Uint8Array(3 * some.length));
    Object.assign(shown, { cells: n, vessels: pieces.length, entries: some.length });
    of("time").textContent = `day ${+(frame.time_h / 24).toFixed(2)}` + (F > 1 ? ` (${f + 1} of ${F})` : "");
    of("status").textContent = `Day ${+(frame.time_h / 24).toFixed(2)}: ${number(n)} of ${number(frame.all_cells)} cells, ` +
      `${number(shown.vessels)} of ${number(frame.all_vessels)} pieces of vessels, ${number(some.length)} entries` +
      (head.entry_every > 1 ? ` (one in ${head.entry_every})` : "") + ".";
    legend();
  };
  const legend = () => {
    const row = ([color, text, mark = "dot"]) => `<li><i class="${mark}" style="background:${color}"></i>${text}</li>`;
    const mode = el("color").value, blend = (colors) => `linear-gradient(to right, ${colors.join(",")})`;
    const byCells = { clone: head.clones, zone: head.zones.slice(1), emt: [[blend(head.emt), "EMT: 0 immotile … 1 motile", "bar"]] };
    of("legend").innerHTML = `<b>Cells</b><ul>${byCells[mode].map(row).join("")}</ul><b>Vessels</b><ul>` +
      [[blend(head.maturity), "maturity: 0 new and leaky … 1 mature", "bar"], [head.shut, "no blood flows", "line"]]
        .concat(head.living ? [[head.growing, "sprout, no blood yet", "line"]] : []).map(row).join("") +
      `</ul><b>Entries</b><ul><li><i class="cross">×</i>a cell or cluster entered a vessel</li></ul>`;
  };

  // --- drawing
  const turned = () => {
    const [y, p] = [view.yaw, view.pitch].map((d) => d * Math.PI / 180), [cy, sy, cp, sp] = [Math.cos(y), Math.sin(y), Math.cos(p), Math.sin(p)];
    return [cy, sy, 0, -sp * sy, sp * cy, cp, sy * cp, -cy * cp, sp];
  };
  let waiting = false;
  const draw = () => { if (!waiting) requestAnimationFrame(drawn); waiting = true; };
  const drawn = () => {
    waiting = false;
    const ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
    if (!w || !h) return;
    for (const one of [canvas, over]) {
      const size = { width: Math.round(w * ratio), height: Math.round(h * ratio) };
      if (one.width !== size.width || one.height !== size.height) Object.assign(one, size);
    }
    const turn = turned(), scale = 0.57 * (Math.min(w, h) - 60) / reach * view.zoom, axis = "xyz".indexOf(el("axis").value);
    const slab = axis < 0 ? null : [+el("at").value, +el("slab").value / 2];
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(1, 1, 1, 1); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT); gl.enable(gl.DEPTH_TEST);
    const use = (made, extra) => {
      gl.useProgram(made.program); gl.bindVertexArray(made.array);
      const set = (name, values) => gl[`uniform${values.length}fv`](gl.getUniformLocation(made.program, name), values);
      gl.uniform1i(gl.getUniformLocation(made.program, "opened"), el("axis").value === "quarter");
      gl.uniformMatrix3fv(gl.getUniformLocation(made.program, "turn"), true, turn);
      const all = { low: head.low, span: head.span, middle, size: [w, h].map((n) => n * ratio), shift: [view.x * ratio, view.y * ratio],
        scale: [scale * ratio], depth: [1.2 * reach], along: [0, 1, 2].map((i) => +(i === axis)), slab: slab || [0, 1], open: head.heart, fade: [slab ? 0 : 0.55], ...extra };
      for (const [name, values] of Object.entries(all)) set(name, values);
    };
    if (el("cells").checked) { use(cells, { width: [head.cell_um], least: [4 * ratio], front: [0] }); gl.drawArrays(gl.POINTS, 0, shown.cells); }
    if (el("vessels").checked) { use(tubes, { widest: [head.widest_um], least: [1.3 * ratio] }); gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, shown.vessels); }
    if (el("entries").checked) { use(crosses, { width: [0], least: [9 * ratio], front: [0.02] }); gl.drawArrays(gl.POINTS, 0, shown.entries); }
    frameOf((p) => { const d = p.map((v, i) => v - middle[i]), dot = (k) => turn[k] * d[0] + turn[k + 1] * d[1] + turn[k + 2] * d[2];
      return [w / 2 + dot(0) * scale + view.x, h / 2 - dot(3) * scale - view.y, dot(6)]; }, ratio, scale, w, h, axis, slab);
    Object.assign(root.dataset, { ...shown, state: "ready" });
  };
  const frameOf = (project, ratio, scale, w, h, axis, slab) => {   // box, ticks with units, planes of the section, scale bar
    pen.setTransform(ratio, 0, 0, ratio, 0, 0); pen.clearRect(0, 0, w, h);
    pen.font = "13px sans-serif"; pen.textBaseline = "middle"; pen.lineWidth = 1;
    const line = (points, color, closed) => { pen.strokeStyle = color; pen.beginPath();
      points.forEach((p, i) => pen[i ? "lineTo" : "moveTo"](p[0], p[1])); if (closed) pen.closePath(); pen.stroke(); };
    const corner = (bits) => box.map((range, i) => range[bits >> i & 1]), heart = project(middle);
    for (let k = 0; k < 3; k++) {
      const edges = [0, 1, 2, 3].map((m) => { const low = m & ((1 << k) - 1), c = (m - low) << 1 | low; return [corner(c), corner(c | 1 << k)]; });
      edges.forEach(([a, b]) => line([project(a), project(b)], "#b0b0b0"));
      const mid = ([a, b]) => { const p = project(a), q = project(b); return [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2]; };
      const best = edges.reduce((x, y) => (k < 2 ? mid(y)[1] - mid(x)[1] : mid(x)[0] - mid(y)[0]) > 0.5 ? y : x);
      const p = project(best[0]), q = project(best[1]), length = Math.hypot(q[0] - p[0], q[1] - p[1]);
      if (length < 60) continue;
      const m = mid(best), out = [m[0] - heart[0], m[1] - heart[1]], o = Math.hypot(...out) || 1;
      const label = (text, t, far, weight) => { pen.font = `${weight} 13px sans-serif`; pen.textAlign = Math.abs(out[0]) / o < 0.4 ? "center" : out[0] < 0 ? "right" : "left";
        const wide = pen.measureText(text).width * { left: 0, center: 0.5, right: 1 }[pen.textAlign], all = pen.measureText(text).width;
        const place = [p[0] + t * (q[0] - p[0]) + far * out[0] / o, p[1] + t * (q[1] - p[1]) + far * out[1] / o];
        const kept = [Math.min(Math.max(place[0], 4 + wide), w - 4 - all + wide), Math.min(Math.max(place[1], 9), h - 9)];
        if (weight) place.splice(0, 2, ...kept); else if (Math.hypot(place[0] - kept[0], place[1] - kept[1]) > 4) return;
        Object.assign(pen, { lineWidth: 3, strokeStyle: "#fff", fillStyle: "#222" });
        pen.strokeText(text, ...place); pen.fillText(text, ...place); pen.lineWidth = 1; };
      const [low, high] = box[k], step = [50, 100, 200, 250, 500, 1000, 2000, 5000, 10000].find((s) => (high - low) / s * 42 <= length) || 20000;
      for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
        const t = (v - low) / (high - low), x = p[0] + t * (q[0] - p[0]), y = p[1] + t * (q[1] - p[1]);
        line([[x, y], [x + 5 * out[0] / o, y + 5 * out[1] / o]], "#666"); label(`${v}`, t, 15, "");
      }
      const upright = Math.abs(q[1] - p[1]) > 2 * Math.abs(q[0] - p[0]), above = q[1] < p[1] ? 1 + 18 / length : -18 / length;
      label(`${"xyz"[k]} [µm]`, upright ? above : 0.5, upright ? 0 : 42, "bold");     // numbers beside an upright edge leave no room
    }
    if (slab) for (const v of [slab[0] - slab[1], slab[0] + slab[1]]) line([0, 1, 3, 2].map((m) => {
      const c = box.map(() => 0), [i, j] = [0, 1, 2].filter((n) => n !== axis);
      c[axis] = v; c[i] = box[i][m & 1]; c[j] = box[j][m >> 1]; return project(c); }), "#D55E00", true);
    const bar = [10, 20, 50, 100, 200, 500, 1000, 2000].find((um) => um * scale > 60) || 5000;
    line([[16, h - 14], [16 + bar * scale, h - 14]], "#222"); line([[16, h - 18], [16, h - 10]], "#222");
    line([[16 + bar * scale, h - 18], [16 + bar * scale, h - 10]], "#222");
    pen.font = "13px sans-serif"; pen.textAlign = "left"; pen.fillStyle = "#222"; pen.fillText(`${bar} µm`, 16, h - 28);
  };

  // --- what the reader does
  const section = () => {
    bound();
    const k = "xyz".indexOf(el("axis").value), [low, high] = box[Math.max(k, 0)];
    for (const name of ["at", "slab"]) el(name).disabled = k < 0;
    Object.assign(el("at"), { min: low, max: high, step: 5 });
    of("at").textContent = k < 0 ? "" : `${"xyz"[k]} = ${el("at").value} µm`;
    of("slab").textContent = k < 0 ? "" : `${el("slab").value} µm`;
  };
  const zoom = (by) => { view.zoom = Math.min(Math.max(view.zoom * by, 0.3), 30); draw(); };
  let timer = null;
  const play = () => {
    clearInterval(timer); timer = timer ? null : setInterval(() => { el("frame").value = (+el("frame").value + 1) % F; load(); draw(); }, 800);
    el("play").textContent = timer ? "Stop" : "Play";
  };
  root.addEventListener("input", (event) => {
    if (["frame", "color", "late", "near"].includes(event.target.name)) load();
    section();
    if (event.target.name === "axis" && "xyz".includes(el("axis").value)) look(el("axis").value); else draw();
  });
  root.addEventListener("click", ({ target }) => {
    if (target.name === "play") play();
    if (target.name === "look") look(target.value);
    if (target.name === "zoom") zoom(+target.value);
  });
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    if (event.shiftKey || event.buttons > 1) { view.x += event.movementX; view.y -= event.movementY; }
    else { view.yaw -= event.movementX / 3; view.pitch = Math.min(Math.max(view.pitch + event.movementY / 3, -90), 90); }
    draw();
  });
  canvas.addEventListener("wheel", (event) => { if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoom(Math.exp(-event.deltaY / 300)); } }, { passive: false });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  const hash = () => {
    if (!location.hash.startsWith("#view3d:")) return;
    for (const [name, value] of location.hash.slice(8).split(",").map((part) => part.split("="))) {
      if (name in view) view[name] = +value;
      else if (el(name)) { section(); if (el(name).type === "checkbox") el(name).checked = value !== "0"; else el(name).value = value; }
    }
    section(); load(); draw();
  };
  window.addEventListener("hashchange", hash);
  section(); load(); new ResizeObserver(draw).observe(canvas); hash();
})().catch((error) => {
  root.dataset.state = "failed"; root.querySelector(".status").textContent = `No 3-D view: ${error.message}`; console.error(error);
}))(document.currentScript.parentElement);
