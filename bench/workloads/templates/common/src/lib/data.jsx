export function format(value) {
  if (typeof value === 'number') return value.toFixed(2);
  return value instanceof Date ? value.toISOString() : String(value ?? '');
}

export function sample(seed, length) {
  return Array.from({ length }, (_, id) => ({
    id,
    name: `item ${seed}.${id}`,
    owner: id % 3 ? 'a' : 'b',
    status: ['new', 'open', 'done'][(seed + id) % 3],
    price: ((seed * 31 + id * 17) % 1000) / 10,
    amount: (seed + id) % 12,
    created: new Date(2020, 0, 1 + id),
    updated: new Date(2021, 0, 1 + id),
    region: 'north',
    channel: 'web',
    score: id / length,
  }));
}
