// Types of what is used of the packages that the App provides; it publishes none of its own.

declare module "react-dom" {
  export function flushSync(act: () => void): void;
}

declare module "recoil" {
  export function useRecoilValue<T>(state: RecoilState<T>): T;
  export interface RecoilState<T> {
    readonly key: string;
    readonly holds?: T;
  }
}

declare module "@fiftyone/operators" {
  export interface PanelEvent {
    operator: string;
    params: Record<string, unknown>;
    prompt?: boolean;
    callback?: (reply: { result?: unknown; error?: unknown; errorMessage?: string }) => void;
  }
  export function usePanelEvent(): (panelId: string, event: PanelEvent) => void;
}

declare module "@fiftyone/plugins" {
  export enum PluginComponentType {
    Component,
  }
  export function registerComponent(component: {
    name: string;
    label: string;
    component: (props: never) => JSX.Element | null;
    type: PluginComponentType;
    activator: () => boolean;
  }): void;
}

declare module "@fiftyone/spaces" {
  export enum Layout {
    Horizontal = "horizontal",
    Vertical = "vertical",
  }
  export interface Node {
    readonly id: string;
    readonly children: Node[];
    remove(): void;
  }
  export interface Spaces {
    root: Node;
    canSplitLayout(node: Node): boolean;
    splitLayout(node: Node, layout: string): void;
    moveNode(node: Node, to: Node): void;
    /** Take the place of an only child. */
    joinNode(node: Node): void;
  }
  export function usePanelId(): string;
  export function useSpaces(id: string): { spaces: Spaces };
}

declare module "@fiftyone/state" {
  import type { RecoilState } from "recoil";

  /** The player of the open sample; of images and grids there is none of this kind. */
  export interface Looker {
    getVideo?(): HTMLVideoElement;
    seekToFrame?(frameNumber: number): void;
    readonly frameNumber?: number;
    readonly playing?: boolean;
    play?(): void;
    updateOptions?(options: { playbackRate: number }): void;
  }
  export const modalLooker: RecoilState<Looker | null>;
  export const nullableModalSampleId: RecoilState<string | null>;
  export const view: RecoilState<unknown[]>;
  /** Which tab of the open sample's sidebar is shown; in one of them labels are drawn by hand. */
  export function useModalMode(): "annotate" | "explore";
}
