// Names the components that the panels' Python halves ask for.

import { PluginComponentType, registerComponent } from "@fiftyone/plugins";
import { OverviewView } from "./OverviewView";
import { TimelineView } from "./TimelineView";

for (const [name, component] of Object.entries({ OverviewView, TimelineView })) {
  registerComponent({
    // All plugins share one list of components.
    name: `Mmmsba${name}`,
    label: name,
    component,
    type: PluginComponentType.Component,
    activator: () => true,
  });
}
