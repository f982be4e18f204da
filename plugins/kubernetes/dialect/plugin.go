package dialect

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Plugin is the plugin, with the options of an endpoint.
type Plugin struct{ session.Plugin }

// companionYAML is the place of the module yaml in the manifest, behind that of the HTTP plugin.
const companionYAML = 1

// New makes a plugin.
func New() *Plugin {
	p := &Plugin{}
	p.NewDialect = func() facts.Dialect { return newDialect() }
	return p
}

// Manifest is that of the HTTP plugin with a family of its own.
func (p *Plugin) Manifest() abi.Manifest {
	m := p.Plugin.Manifest()
	m.Name, m.Doc = "kubernetes", "The API of Kubernetes, on HTTP/1.1 and HTTP/2: verbs, resources and objects, as RBAC has them."
	m.Families[familyK8s] = family()
	m.Companions = append(m.Companions[:companionYAML:companionYAML], abi.Companion{Name: yaml.Companion})
	for i := range m.Options {
		switch o := &m.Options[i]; o.Name {
		case "inspect_body":
			o.Default = true
			o.Doc = "read bodies before the verdict, so that rules can use k8s.object and its like, and titles say what is scaled to what; nothing of such a request goes on before it is whole"
		case "body_limit":
			o.Doc = "bytes of a body that are read at most, as sent and decoded; of a longer one the object is unknown"
		}
	}
	return m
}
