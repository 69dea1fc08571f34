'use strict';
// The few things done to the page's elements. Text goes in as text, never as HTML: names are anybody's.

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {{class?: string, text?: string, title?: string}} [how]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[T]}
 */
function make(tag, how = {}, children = []) {
  const element = document.createElement(tag);
  if (how.class) element.className = how.class;
  if (how.text !== undefined) element.textContent = how.text;
  if (how.title) element.title = how.title;
  element.append(...children);
  return element;
}

/**
 * @param {string} id
 * @returns {any} an element that page.html has
 */
const byId = (id) => {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
};

/**
 * Buttons of which one is on.
 * @param {string} id of their box
 * @param {(value: string) => void} chosen
 */
function bindChoice(id, chosen) {
  /** @type {HTMLElement[]} */
  const buttons = [...byId(id).querySelectorAll('button')];
  for (const button of buttons) {
    button.addEventListener('click', () => {
      for (const other of buttons) other.ariaPressed = String(other === button);
      chosen(button.dataset.value ?? '');
    });
  }
}

/**
 * Work gathered to the next frame: a hundred events draw once.
 * @param {() => void} work
 */
function perFrame(work) {
  let asked = 0;
  return () => {
    if (asked !== 0) return;
    asked = requestAnimationFrame(() => {
      asked = 0;
      work();
    });
  };
}

/**
 * Measures a piece of work: it stands in the browser's own performance panel, and benchmarks read it.
 * @template T
 * @param {string} name
 * @param {() => T} work
 * @returns {T}
 */
function measured(name, work) {
  const start = performance.now();
  const result = work();
  performance.measure(name, { start, end: performance.now() });
  return result;
}

/**
 * A canvas's size in the device's pixels; draws in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @returns {CanvasRenderingContext2D}
 */
function fitCanvas(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

module.exports = { bindChoice, byId, fitCanvas, make, measured, perFrame };
