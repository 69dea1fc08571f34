'use strict';
// Begins: reads the data, makes the page for it, and binds what both kinds of page have.

const { bindChoice, byId, make } = require('./dom.js');
const { inflate, readReport } = require('./unpack.js');
const { followTheme } = require('./theme.js');
const { showQuality } = require('./quality.js');

/** @typedef {import('./profile-page').ProfilePage | import('./diff-page').DiffPage} Page */

/** @param {Page} page */
function bindSearch(page) {
  const search = byId('search');
  let timer = 0;
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => page.choice.search(search.value), 60);
  });
}

/** @param {string} id */
function nextChoice(id) {
  const buttons = [...byId(id).querySelectorAll('button')];
  const at = buttons.findIndex((button) => button.ariaPressed === 'true');
  buttons[(at + 1) % buttons.length].click();
}

/** @param {Page} page */
function bindKeys(page) {
  /** @type {Record<string, () => void>} */
  const keys = {
    '/': () => byId('search').focus(),
    f: () => nextChoice('direction'),
    t: () => document.getElementById('order') && nextChoice('order'),
    d: () => byId('theme').click(),
    0: () => page.graph.zoomTo(0),
    '?': () => byId('help').showModal(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const isField = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
    if (event.key === 'Escape' && !byId('help').open) {
      if (page.back()) event.preventDefault();
      if (isField) target.blur();
    } else if (!isField && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}

/** @param {import('./types').Report} report */
function open(report) {
  document.body.dataset.kind = report.kind;
  if (report.kind === 'diff') {
    const { DiffPage } = require('./diff-page.js');
    return new DiffPage(report);
  }
  const { ProfilePage } = require('./profile-page.js');
  const page = new ProfilePage(report);
  showQuality(byId('quality'), report.quality);
  bindChoice('order', (value) => page.setByTime(value === 'time'));
  const groups = byId('group');
  groups.append(...Object.keys(page.groupings).map((name) => make('option', { text: name })));
  groups.addEventListener('change', () => page.setGroup(groups.value));
  return page;
}

async function main() {
  try {
    const report = readReport(await inflate(byId('data').textContent));
    const page = open(report);
    byId('summary').textContent = page.summary;
    followTheme(byId('theme'), () => page.themeChanged());
    bindSearch(page);
    bindChoice('direction', (value) => page.graph.setFlame(value === 'flame'));
    bindKeys(page);
    for (const id of ['help-button', 'help-close']) {
      byId(id).addEventListener('click', () => {
        const help = byId('help');
        if (help.open) help.close();
        else help.showModal();
      });
    }
    page.refilter();
    requestAnimationFrame(() => setTimeout(() => performance.mark('painted')));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    byId('summary').textContent =
      typeof DecompressionStream === 'undefined'
        ? 'This browser is too old for the page: it needs DecompressionStream (2023).'
        : `This page could not be read: ${text}`;
    throw error;
  }
}

main();
