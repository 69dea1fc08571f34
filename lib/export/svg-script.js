// @ts-nocheck: runs in a browser, inside the SVG; the project's types are node's.
/* global document, settings, prompt, window */
// Zoom by click, search by Ctrl-F or the word at the top, details on hover. `settings` stands in front
// of it: side and width in px, charPx of a character, inverted.
(function () {
  const byId = (id) => document.getElementById(id);
  let frames = [];
  let zoomed = null;
  let pattern = null;

  const number = (element, name) => Number(element.getAttribute(name));

  /** @returns the frame whose box or text an event met */
  const frameAt = (target) => {
    const group = target.closest ? target.closest('#frames > g') : null;
    return group ? frames[group.index] : null;
  };

  function load() {
    frames = Array.from(byId('frames').children, (group, index) => {
      group.index = index;
      const rect = group.querySelector('rect');
      const label = group.querySelector('title').textContent;
      const end = label.lastIndexOf(' (');
      const [x, y, width] = ['x', 'y', 'width'].map((name) => number(rect, name));
      return { group, rect, label, name: label.slice(0, end), x, y, width };
    });
    document.addEventListener('mouseover', ({ target }) => {
      const frame = frameAt(target);
      byId('details').textContent = frame ? frame.label : ' ';
    });
    document.addEventListener('click', ({ target }) => {
      const frame = frameAt(target);
      if (frame) zoom(frame.width === frames[0].width ? null : frame);
      else if (target.id === 'reset') zoom(null);
      else if (target.id === 'search') ask();
    });
    window.addEventListener('keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
        event.preventDefault();
        ask();
      } else if (event.key === 'Escape') {
        zoom(null);
        search(null);
      }
    });
  }

  function place({ group, rect, name, y }, x, width) {
    group.style.display = width < 0.1 ? 'none' : '';
    rect.setAttribute('x', x);
    rect.setAttribute('width', width);
    const room = Math.floor((width - 6) / settings.charPx);
    let text = group.querySelector('text');
    if (room < 3) {
      if (text) text.textContent = '';
      return;
    }
    if (!text) {
      text = group.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'text'));
      text.setAttribute('y', y + 11.5);
    }
    text.setAttribute('x', x + 3);
    text.textContent = name.length <= room ? name : name.slice(0, room - 2) + '..';
  }

  /** Coordinates are rounded to hundredths. */
  const SLACK = 0.015;

  function zoom(to) {
    zoomed = to;
    byId('reset').setAttribute('visibility', to ? 'visible' : 'hidden');
    const whole = settings.width - 2 * settings.side;
    for (const frame of frames) {
      frame.group.classList.remove('dim');
      if (!to) {
        place(frame, frame.x, frame.width);
        continue;
      }
      const isOuter = settings.inverted ? frame.y < to.y : frame.y > to.y;
      const holds = frame.x <= to.x + SLACK && frame.x + frame.width >= to.x + to.width - SLACK;
      const isInside = frame.x >= to.x - SLACK && frame.x + frame.width <= to.x + to.width + SLACK;
      if (isOuter && holds) {
        frame.group.classList.add('dim');
        place(frame, settings.side, whole);
      } else if (!isOuter && isInside) {
        const scale = whole / to.width;
        place(frame, settings.side + (frame.x - to.x) * scale, frame.width * scale);
      } else {
        frame.group.style.display = 'none';
      }
    }
    if (pattern) search(pattern);
  }

  function ask() {
    const term = prompt('Search for a function (regular expression), nothing to clear', '');
    if (term === null) return;
    try {
      search(term === '' ? null : new RegExp(term));
    } catch {
      byId('matched').textContent = 'no regular expression: ' + term;
    }
  }

  /** Marks what matches; its share counts a frame inside a matching one once. */
  function search(wanted) {
    pattern = wanted;
    const hits = frames.filter(({ group, name }) => {
      const isHit = wanted !== null && wanted.test(name);
      group.classList.toggle('hit', isHit);
      return isHit;
    });
    const inside = zoomed ?? frames[0];
    const spans = hits
      .map(({ x, width }) => [Math.max(x, inside.x), Math.min(x + width, inside.x + inside.width)])
      .filter(([from, to]) => to > from)
      .sort((a, b) => a[0] - b[0]);
    let covered = 0;
    let end = -Infinity;
    for (const [from, to] of spans) {
      covered += Math.max(0, to - Math.max(from, end));
      end = Math.max(end, to);
    }
    byId('matched').textContent = wanted
      ? 'matched: ' + ((covered / inside.width) * 100).toFixed(2) + ' %'
      : ' ';
  }

  window.addEventListener('load', load);
  // For tests and for whoever embeds it.
  window.flamegraph = { search: (term) => search(term === '' ? null : new RegExp(term)), zoom };
})();
