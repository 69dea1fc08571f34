'use strict';
// Light or dark: as the system has it, until the button says otherwise.

const KEY = 'rspack-prof-theme';

/** A page from disk may have no storage: then a choice lasts as long as the page. */
function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // No storage, no choice: the system's.
    return null;
  }
}

/** @param {string} theme */
function store(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Only this page knows it then.
  }
}

/**
 * @param {HTMLElement} button
 * @param {() => void} changed
 */
function followTheme(button, changed) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = stored();
  const show = () => {
    const theme = chosen ?? (system.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    button.title = `to the ${theme === 'dark' ? 'light' : 'dark'} theme (d)`;
    changed();
  };
  button.addEventListener('click', () => {
    chosen = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    store(chosen);
    show();
  });
  system.addEventListener('change', show);
  show();
}

/** @returns {{back: number[], text: string, dim: string, line: string, band: string, veil: string, accent: string}} */
function themeColors() {
  const style = getComputedStyle(document.documentElement);
  const value = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  const hex = value('back').slice(1);
  return {
    back: [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)),
    text: value('text'),
    dim: value('dim'),
    line: value('line'),
    band: value('band'),
    veil: value('veil'),
    accent: value('accent'),
  };
}

module.exports = { followTheme, themeColors };
