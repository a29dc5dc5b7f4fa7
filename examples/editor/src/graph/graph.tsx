import { Background, BackgroundVariant, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps, type NodeChange, applyNodeChanges } from '@xyflow/react';
import type { Finding } from 'onepath';
import { memo, useEffect, useMemo, useState } from 'react';

import { editor } from '../editor';
import type { Item } from '../scene/items';
import { isWithin, member } from '../scene/pointer';
import type { Run } from '../server/runs';
import { Mark, worst } from '../ui/findings';
import { useObserved } from '../ui/observed';
import { theme } from '../ui/theme';
import { graph, type Link, type Part } from './layout';
import { thumbnail } from '../server/pictures';

type Card = Node<{ part: Part; findings: Finding[]; run: Run | undefined }, 'scene' | 'node'>;

const TYPES = { scene: memo(SceneCard), node: memo(NodeCard) };

export function Graph() {
  const { view, selected, file } = useObserved(editor.state);
  const runs = useObserved(editor.runs.all);
  const mode = useObserved(theme);
  const { parts, links } = useMemo(() => graph(view?.value), [view?.value]);
  const findings = view?.report.findings ?? [];
  const wanted = useMemo(
    () => parts.map((part) => card(part, within(findings, part.place), runs.get(part.title), part.place === selected)),
    [parts, findings, runs, selected],
  );
  const [nodes, setNodes] = useState<Card[]>(wanted);
  useEffect(() => setNodes((before) => wanted.map((node) => ({ ...before.find(({ id }) => id === node.id), ...node }))), [wanted]);
  const edges = useMemo(() => links.map((link) => edge(link, parts, within(findings, link.place), link.place === selected)), [links, parts, findings, selected]);

  const change = (changes: NodeChange<Card>[]) => {
    setNodes((before) => applyNodeChanges(changes.filter(({ type }) => type !== 'select' && type !== 'remove'), before));
    for (const one of changes) {
      if (one.type === 'select' && one.selected) editor.select(one.id.slice(1));
    }
  };
  return (
    <ReactFlow<Card>
      key={file?.name}
      nodes={nodes}
      edges={edges}
      nodeTypes={TYPES}
      colorMode={mode}
      onNodesChange={change}
      onEdgeClick={(_, { id }) => editor.select(id.slice(1))}
      onEdgesChange={(changes) => changes.forEach((one) => one.type === 'select' && one.selected && editor.select(one.id.slice(1)))}
      onNodeDragStop={(_, node) => moved(node)}
      deleteKeyCode={null}
      nodesConnectable={false}
      fitView
      fitViewOptions={{ padding: 0.12, maxZoom: 1 }}
      minZoom={0.1}
      ariaLabelConfig={{ 'node.a11yDescription.default': 'Press Enter to open it in the inspector.', 'edge.a11yDescription.default': 'Press Enter to open it in the inspector.' }}
    >
      <Background variant={BackgroundVariant.Dots} gap={22} size={1.4} />
      <Controls showInteractive={false} position="bottom-left" />
    </ReactFlow>
  );
}

/** A part that was moved by hand: its place is written into the file, as any edit is. */
function moved(node: Card): void {
  const { part } = node.data;
  if (part.place === '') return;
  const position = { x: Math.round(node.position.x), y: Math.round(node.position.y) };
  if (position.x === part.position.x && position.y === part.position.y) return;
  editor.apply([{ pointer: `${part.place}/ui/position`, value: position }]);
}

function within(findings: readonly Finding[], place: string): Finding[] {
  return findings.filter(({ pointer }) => isWithin(pointer, place));
}

function card(part: Part, findings: Finding[], run: Run | undefined, selected: boolean): Card {
  const { kind, place, position, title } = part;
  const found = findings.length > 0 ? `, ${findings.length} findings, ${worst(findings)}` : '';
  return {
    id: `#${place}`,
    type: kind,
    position,
    selected,
    selectable: kind === 'node',
    focusable: kind === 'node',
    draggable: place !== '',
    ariaLabel: `${kind} ${title}${found}`,
    data: { part, findings, run },
  };
}

function edge(link: Link, parts: readonly Part[], findings: readonly Finding[], selected: boolean): Edge {
  const { place, from, to, generates, label, name } = link;
  const state = worst(findings);
  const [start, end] = [from, to].map((place) => parts.find((part) => part.place === place));
  const [sourceHandle, targetHandle] = start && end ? facing(start, end) : [Position.Right, Position.Left];
  return {
    id: `#${place}`,
    sourceHandle,
    targetHandle,
    source: `#${from}`,
    target: `#${to}`,
    selected,
    label: label ?? (generates ? name : ''),
    className: `link ${generates ? 'generates' : ''} ${state}`,
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
    ariaLabel: `${generates ? 'generating edge' : 'edge'} ${name}`,
    interactionWidth: 18,
  };
}

const SIDES = [Position.Left, Position.Right, Position.Top, Position.Bottom];

/** Both ends of an edge at each side; the edge takes the sides that face each other. */
function Ends() {
  return SIDES.flatMap((side) => [
    <Handle key={`${side}in`} id={side} type="target" position={side} isConnectable={false} />,
    <Handle key={`${side}out`} id={side} type="source" position={side} isConnectable={false} />,
  ]);
}

function facing(from: Part, to: Part): [Position, Position] {
  const [dx, dy] = [to.position.x - from.position.x, to.position.y - from.position.y];
  // Cards are wide: a short step down is still a step down.
  if (Math.abs(dx) > Math.abs(dy) * 1.6) return dx >= 0 ? [Position.Right, Position.Left] : [Position.Left, Position.Right];
  return dy >= 0 ? [Position.Bottom, Position.Top] : [Position.Top, Position.Bottom];
}

function SceneCard({ data: { part, findings } }: NodeProps<Card>) {
  const mood = part.value['mood'];
  return (
    <div className="card scene">
      <Ends />
      <span className="kind">scene</span>
      <strong>{part.title}</strong>
      {typeof mood === 'string' && <span className="dim">{mood}</span>}
      <Mark findings={findings} />
    </div>
  );
}

const words = (value: unknown) => (typeof value === 'string' ? value.replaceAll('_', ' ') : undefined);

function NodeCard({ data: { part, findings, run }, selected }: NodeProps<Card>) {
  const type = words(member(part.value, 'generationType'));
  const strategy = words(member(part.value, 'strategy'));
  const picture = thumbnail(run?.generation);
  const state = worst(findings);
  return (
    <div className={`card node ${state} ${selected ? 'selected' : ''}`} data-node={part.title} data-state={state}>
      <Ends />
      <div className="words">
        <span className="kind">{type ?? 'no type'}</span>
        <strong>{part.title}</strong>
        <span className="dim">{strategy ?? 'no strategy'}</span>
      </div>
      {picture && <img src={picture} alt="" />}
      <Mark findings={findings} />
      {run && run.phase !== 'idle' && run.phase !== 'loading' && <span className="busy" role="status">{run.phase === 'sending' ? 'sending' : run.generation?.status}</span>}
    </div>
  );
}

export type { Item };
