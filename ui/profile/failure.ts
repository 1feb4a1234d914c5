// ui/profile/failure.ts - what a page shows when the server refused.
import { h } from '../common/dom.ts';
import type { ApiError } from '../common/fetch.ts';
import { errorText } from './error_text.ts';

export function failure(error: ApiError, value: string): HTMLElement {
  return h('div', { class: 'failure', role: 'alert' }, errorText(error, value));
}
