'use strict';
// The text of one module of the babel case: a component beside a class, a generator and an async
// function, the syntax that preset-env has most work with when the targets are old.

const { componentSource } = require('./component.js');

/**
 * @param {import('./layout.js').Place} place
 * @param {import('./layout.js').Place[]} places
 * @param {import('./random.js').Random} random
 * @returns {string}
 */
function serviceSource(place, places, random) {
  const id = place.index;
  return `${componentSource(place, places, random)}
class Base${id} {
  static count = 0;
  #items = new Map();

  constructor({ name = 'base', limit = ${random.below(90) + 10}, ...options } = {}) {
    Object.assign(this, { name, limit, options });
    Base${id}.count += 1;
  }

  get size() {
    return this.#items.size;
  }

  put(key, value = this.options?.fallback ?? null) {
    if (this.size >= this.limit) this.#items.delete([...this.#items.keys()][0]);
    this.#items.set(key, value);
    return this;
  }

  *entries(from = 0) {
    for (const [key, value] of this.#items) {
      if (value?.rank >= from) yield { key, ...value };
    }
  }
}

export class Store${id} extends Base${id} {
  async load(urls, { signal, retries = ${random.below(4) + 1} } = {}) {
    for (const url of urls) {
      for (let attempt = 0; attempt < retries; attempt++) {
        try {
          const { data: [first, ...others] = [], ...rest } = await (await fetch(url, { signal })).json();
          super.put(\`\${url}#\${attempt}\`, { first, others, rest, rank: attempt ** 2 });
          break;
        } catch (error) {
          if (signal?.aborted) throw error;
        }
      }
    }
    return Array.from(this.entries(${random.below(3)}), ({ key, first }) => [key, first?.name ?? title]);
  }
}
`;
}

module.exports = { serviceSource };
