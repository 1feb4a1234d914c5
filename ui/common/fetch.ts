// ui/common/fetch.ts - asking the server.
// Room: JSON in, JSON or a typed failure out. Every path is on our own origin.

// What the server refused, and where it was typed when it knows.
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly option = '', // the query key whose value is bad
    readonly at = -1, // byte offset in that value
  ) {
    super(message);
  }
}

export const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export type Query = [string, string][] | Record<string, string>;

async function failure(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error, where, at } = JSON.parse(text);
    return new ApiError(error ?? text, response.status, where ?? '', at ?? -1);
  } catch {
    return new ApiError(text.trim() || response.statusText, response.status);
  }
}

export function urlOf(path: string, query: Query): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${path}?${text}` : path;
}

// The answer, whatever it is; anything but a success is thrown.
export async function ask(path: string, query: Query, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(urlOf(path, query), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError('pprof does not answer: has it been stopped?', 0);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

export async function getJson<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, query, signal ? { signal } : {})).json()) as T;
}

export async function change<T>(method: 'POST' | 'DELETE', path: string, query: Query = {}): Promise<T> {
  return (await (await ask(path, query, { method })).json()) as T;
}

// Runs the newest request only: a later call gives up the earlier one, whose promise then never settles anything.
export function latest(): <T>(run: (signal: AbortSignal) => Promise<T>) => Promise<T | undefined> {
  let current: AbortController | undefined;
  return async (run) => {
    current?.abort();
    const mine = (current = new AbortController());
    try {
      const value = await run(mine.signal);
      return mine.signal.aborted ? undefined : value;
    } catch (error) {
      if (mine.signal.aborted) return undefined;
      throw error;
    }
  };
}
