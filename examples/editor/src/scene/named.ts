/** What a config says of its prompt. */

import type { Item } from './items';
import { at, isObject, member, steps } from './pointer';
import type { View } from './scene';

/** What a config names: a family, a version of it, or a prompt of its own. */
export interface Named {
  family?: string | undefined;
  version?: string | undefined;
  prompt?: string | undefined;
}

export function named(view: View | undefined, item: Item): Named {
  const config = at(view?.value, steps(item.config));
  if (!isObject(config)) return {};
  const text = (name: string) => {
    const value = member(config, name);
    return value === undefined || value === null || value === '' ? undefined : String(value);
  };
  return { family: text('templateId'), version: text('templateVersionId'), prompt: text('prompt') };
}
