// Where the project lies; these tests run in a copy of their folder, beside what npm installed.

export const root = process.env.ONEPATH_ROOT ?? new URL('../..', import.meta.url).pathname;
export const vectors = `${root}/tests/vectors`;
export const native = `${root}/target/debug/onepath`;
