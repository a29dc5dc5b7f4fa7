// Stands for `node:crypto` in a page.

export function hash() {
  throw new Error('a page has no node:crypto');
}
