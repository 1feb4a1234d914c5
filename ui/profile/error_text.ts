// ui/profile/error_text.ts - what is wrong with a value, beside the value with the bad part underlined.
import { h } from '../common/dom.ts';
import type { ApiError } from '../common/fetch.ts';

export function errorText(error: ApiError, value: string): HTMLElement {
  const sentence = error.message.replace(/^parsing \w+ regexp: |^error parsing regexp: /g, '').replace(/^error parsing regexp: /, '');
  const said = value ? sentence.replace(`: \`${value}\``, '') : sentence;
  const at = error.at >= 0 && error.at <= value.length ? error.at : -1;
  const marked = value && at >= 0 ? h('span', {}, h('span', { class: 'mono' }, value.slice(0, at)), h('span', { class: 'mark' }, value.slice(at) || ' ')) : null;
  return h('div', { class: 'field-error' }, said, marked ? ' in ' : null, marked);
}
