'use strict';
// The text of one React component. Most of those without children are small and only show something;
// the others have state, a memo, an effect, a list, a form or a table, their children, and often one
// name taken from a far module of their chunk. Plain enough for every loader.

const { importPath } = require('./layout.js');

const WORDS = 'order invoice ticket member asset report budget parcel lesson recipe'.split(' ');
const FIELDS = 'name owner status price amount created updated region channel score'.split(' ');
const TAGS = ['section', 'article', 'aside', 'div', 'main'];

/** @typedef {import('./layout.js').Place} Place */
/** @typedef {import('./random.js').Random} Random */

/** @param {string} word */
function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}

/**
 * @param {Random} random
 * @param {string[]} fields
 */
function body(random, fields) {
  const [first, second] = fields;
  const list = `      <ul className="list">
        {visible.map((row, position) => (
          <li key={row.id} className={position === selected ? 'row row--on' : 'row'}>
            <button type="button" onClick={() => setSelected(position)}>
              {position + 1}. {row.${first}}
            </button>
            {row.${second} ? <em>{format(row.${second})}</em> : <em>none</em>}
          </li>
        ))}
      </ul>`;
  const table = `      <table className="table">
        <thead>
          <tr>${fields.map((field) => `<th scope="col">${capital(field)}</th>`).join('')}</tr>
        </thead>
        <tbody>
          {visible.map((row) => (
            <tr key={row.id} data-selected={row.id === selected}>
${fields.map((field) => `              <td>{format(row.${field})}</td>`).join('\n')}
            </tr>
          ))}
        </tbody>
      </table>`;
  const form = `      <form className="form" onSubmit={(event) => event.preventDefault()}>
${fields
  .map(
    (field) => `        <label>
          ${capital(field)}
          <input name="${field}" value={values.${field} ?? ''} onChange={change} />
        </label>`,
  )
  .join('\n')}
      </form>`;
  return random.pick([list, table, form]);
}

/**
 * @param {Place} place
 * @param {Place} child
 */
function importChild(place, child) {
  const file = importPath(place, child.file);
  return place.isLazy
    ? `const C${child.index} = lazy(() => import('${file}'));`
    : `import C${child.index} from '${file}';`;
}

/**
 * A module elsewhere in the same chunk, or null. It stands later, so that there is no cycle.
 * @param {Place} place
 * @param {Place[]} places
 * @param {Random} random
 */
function farModule(place, places, random) {
  const last = places.length - place.index - 1;
  for (let tries = 0; tries < 8 && last > 0; tries += 1) {
    const far = places[place.index + 1 + random.below(Math.min(last, 2000))];
    if (far.page === place.page) return far;
  }
  return null;
}

/**
 * @param {Place} place
 * @param {Random} random
 * @returns {string}
 */
function smallSource(place, random) {
  const word = random.pick(WORDS);
  const tag = random.pick(TAGS);
  return `import { format } from '${importPath(place, 'src/lib/data')}';

export const title = '${capital(word)} ${place.index}';

export default function ${capital(word)}${place.index}({ depth = 0, price = ${random.below(900)}, ...rest }) {
  const label = price > ${random.below(900)} ? format(price) : \`\${title} in \${depth}\`;
  return (
    <${tag} className="${word}" data-depth={depth} {...rest}>
      <b>{title}</b> <span title={label}>{rest.children ?? label}</span>
    </${tag}>
  );
}
`;
}

/**
 * @param {Place} place
 * @param {Place[]} places
 * @param {Random} random
 * @returns {string}
 */
function componentSource(place, places, random) {
  if (place.children.length === 0 && random.below(4) > 0) return smallSource(place, random);
  const word = random.pick(WORDS);
  const name = place.index === 0 ? 'App' : `${capital(word)}${place.index}`;
  const start = random.below(FIELDS.length - 3);
  const fields = FIELDS.slice(start, start + 3);
  const tag = random.pick(TAGS);
  const rows = random.below(40) + 10;
  const hue = random.below(360);

  const imports = place.children.map((child) => importChild(place, places[child]));
  const far = farModule(place, places, random);
  if (far) imports.push(`import { title as far } from '${importPath(place, far.file)}';`);
  const children = place.children.map((child) => `      <C${child} depth={depth + 1} />\n`);

  const hooks = `${place.isLazy ? 'lazy, ' : ''}useEffect, useMemo, useState`;

  return `import { ${hooks} } from 'react';
import { format, sample } from '${importPath(place, 'src/lib/data')}';
${imports.join('\n')}${imports.length > 0 ? '\n' : ''}
export const title = '${capital(word)} ${place.index}';

const palette = { accent: 'hsl(${hue} 60% 45%)', border: \`1px solid hsl(${hue} 20% 80%)\` };

export default function ${name}({ depth = 0, initial = ${random.below(5)}, ...rest }) {
  const [selected, setSelected] = useState(initial);
  const [values, setValues] = useState({ ${fields[0]}: title });
  const rows = useMemo(() => sample(${place.index}, ${rows}), []);
  const visible = rows.filter((row) => row.${fields[1]} !== values.${fields[1]} && row.id % ${random.below(4) + 2} > 0);

  useEffect(() => {
    document.title = \`\${title}: \${visible.length} of \${rows.length}\`;
  }, [visible.length, rows.length]);

  const change = ({ target: { name, value } }) =>
    setValues((previous) => ({ ...previous, [name]: value.trim() }));

  return (
    <${tag} id="${word}-${place.index}" style={{ ...palette, ...rest.style }} onBlur={change}>
      <h2 data-depth={depth} onClick={() => setSelected((old) => (old + 1) % rows.length)}>
        {title}${far ? ' <small>{far}</small>' : ''}
      </h2>
${body(random, fields)}
${children.join('')}    </${tag}>
  );
}
`;
}

module.exports = { componentSource };
