// The view: a tree of plain objects, and what brings the page to look like it. Functions make trees; nothing here keeps
// state but the page itself. An element is kept, with its focus and its text, as long as its tag and its key stay.

type Value = string | number | boolean | null | undefined | ((event: any) => void);
export type Props = Record<string, Value>;
export interface Element_ {
  tag: string;
  props: Props;
  children: Item[];
}
export type Item = Element_ | string;
export type Child = Item | number | boolean | null | undefined | Child[];

declare global {
  namespace JSX {
    type Element = Element_;
    interface ElementChildrenAttribute {
      children: {};
    }
    interface IntrinsicElements {
      [tag: string]: any;
    }
  }
}

/** What `<tag …>` stands for; a function is asked at once for what it shows. */
export function h(tag: string | ((props: any) => Element_), props: Props | null, ...children: Child[]): Element_ {
  if (typeof tag === "function") return tag({ ...props, children });
  return { tag, props: props ?? {}, children: items(children) };
}

function items(children: Child[], out: Item[] = []): Item[] {
  for (const child of children) {
    if (Array.isArray(child)) items(child, out);
    else if (typeof child === "number") out.push(String(child));
    else if (child && child !== true) out.push(child);
  }
  return out;
}

interface Built {
  item: Item;
  node: ChildNode;
  children: Built[];
}

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "a", "path", "g", "text", "polyline", "rect", "circle", "title"]);
/** What a user changes, so that the attribute says only how it began. */
const LIVE = new Set(["value", "checked", "open", "selected", "disabled"]);

/** A place in the page that shows a tree, again and again. */
export function mount(place: Element): (tree: Element_) => void {
  let built: Built[] = [];
  place.textContent = "";
  return (tree) => {
    built = reconcile(place, built, [tree]);
  };
}

function keyOf(item: Item, index: number): string {
  if (typeof item === "string") return `#${index}`;
  return item.props.key === undefined ? `${item.tag}:${index}` : `${item.tag}=${item.props.key}`;
}

function reconcile(parent: Element, before: Built[], after: Item[]): Built[] {
  const known = new Map(before.map((one, index) => [keyOf(one.item, index), one]));
  const matched = after.map((item, index) => {
    const key = keyOf(item, index);
    const old = known.get(key);
    known.delete(key);
    return old ? update(old, item) : create(item, parent);
  });
  for (const gone of known.values()) gone.node.remove();
  let place = parent.firstChild;
  for (const { node } of matched) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  return matched;
}

function create(item: Item, parent: Element): Built {
  if (typeof item === "string") return { item, node: document.createTextNode(item), children: [] };
  const drawn = item.tag === "svg" || (parent.namespaceURI === SVG && DRAWN.has(item.tag));
  const node = drawn ? document.createElementNS(SVG, item.tag) : document.createElement(item.tag);
  const children = reconcile(node, [], item.children);
  // After the children: a choice can be set only when it is there.
  for (const [name, value] of Object.entries(item.props)) set(node, name, value);
  return { item, node, children };
}

function update(built: Built, item: Item): Built {
  if (typeof item === "string") {
    if (built.item !== item) built.node.textContent = item;
    return { ...built, item };
  }
  const node = built.node as Element;
  const before = (built.item as Element_).props;
  const children = reconcile(node, built.children, item.children);
  for (const name of Object.keys(before)) if (!(name in item.props)) set(node, name, null);
  for (const [name, value] of Object.entries(item.props)) {
    if (before[name] !== value || LIVE.has(name)) set(node, name, value);
  }
  return { item, node, children };
}

function set(node: Element, name: string, value: Value): void {
  if (name === "key") return;
  if (name.startsWith("on") || LIVE.has(name)) {
    const target = node as any;
    const next = value ?? (name.startsWith("on") ? null : "");
    if (target[name] !== next) target[name] = next;
  } else if (value === null || value === undefined || value === false) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}
