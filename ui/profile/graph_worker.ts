// ui/profile/graph_worker.ts - lays a call graph out, away from the page's own thread.
// Room: DOT text in, SVG text or a sentence out; nothing is drawn here. Graphviz comes as WebAssembly inside this bundle.
import { Graphviz } from '@hpcc-js/wasm-graphviz';

export interface LayoutReply {
  id: number;
  svg?: string;
  error?: string;
}

const ready = Graphviz.load();

self.onmessage = async (event: MessageEvent<{ id: number; dot: string }>) => {
  const { id, dot } = event.data;
  let reply: LayoutReply;
  try {
    reply = { id, svg: (await ready).dot(dot) };
  } catch (error) {
    reply = { id, error: String(error) };
  }
  self.postMessage(reply);
};
