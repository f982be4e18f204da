// Package dialect is the Kubernetes plugin: the HTTP plugin (package session) with requests read as those of an API server of Kubernetes. Package request says what a request is for, package
// object what its body says; here both become an action of family "k8s", and a denial becomes the object Status, which clients of Kubernetes show as an error of the server.
package dialect

import (
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/object"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/request"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// familyK8s is the family of requests, by its place in the manifest: that of family http in the HTTP plugin.
const familyK8s = 1

// Fields of family k8s.
const (
	fieldVerb uint16 = iota
	fieldGroup
	fieldVersion
	fieldResource
	fieldSubresource
	fieldNamespace
	fieldName
	fieldPath
	fieldMethod
	fieldQuery
	fieldDryRun
	fieldFieldManager
	fieldLabelSelector
	fieldFieldSelector
	fieldContentType
	fieldPatchType
	fieldKind
	fieldObject
	fieldObjectName
	fieldObjectNamespace
	fieldLabels
	fieldReplicas
	fieldOperation
	fieldContainer
	fieldCommand
	fieldStdin
	fieldTTY
	fieldProxyPath
	fieldImpersonate
	fieldUpgrade
	fieldAuthority
	fieldTLS
	fieldGatewayCredential
	fieldProblem
)

func family() abi.Family {
	return abi.Family{Name: "k8s", Doc: "One request to an API server of Kubernetes.", Fields: []abi.Field{
		{Name: "verb", Type: abi.TypeString, Values: request.Verbs(), Doc: "the verb of the API: get, list, watch, create, …; connect for exec, attach, port-forward and proxy, whatever the method, and for what else asks for another protocol; of a path without a resource the method in lower case"},
		{Name: "group", Type: abi.TypeString, Doc: "the API group: apps; empty for the core group"},
		{Name: "version", Type: abi.TypeString, Doc: "its version: v1"},
		{Name: "resource", Type: abi.TypeString, Doc: "the resource in the plural: pods; empty for a path without one, such as /version and discovery"},
		{Name: "subresource", Type: abi.TypeString, Doc: "the subresource: log, exec, scale; empty without"},
		{Name: "namespace", Type: abi.TypeString, Doc: "the namespace; empty for what has none, and for all namespaces"},
		{Name: "name", Type: abi.TypeString, Doc: "the name in the path, or that of a list by the field selector metadata.name=NAME; empty for lists, and when something is created"},
		{Name: "path", Type: abi.TypeString, Doc: "the path as sent, without the query"},
		{Name: "method", Type: abi.TypeString, Doc: "the method of the request line: GET"},
		{Name: "query", Type: abi.TypeString, Role: abi.RoleValues, Doc: "what stands behind the ?, as sent; empty without"},
		{Name: "dry_run", Type: abi.TypeBool, Doc: "the server is asked to change nothing (dryRun=All), where it knows of that; of a DELETE with a body what that says, which is unknown when it is not read"},
		{Name: "field_manager", Type: abi.TypeString, Doc: "the parameter fieldManager, where something is created, updated or patched"},
		{Name: "label_selector", Type: abi.TypeString, Doc: "the parameter labelSelector of list, watch and deletecollection; empty for others, which it does not narrow"},
		{Name: "field_selector", Type: abi.TypeString, Doc: "the parameter fieldSelector, likewise"},
		{Name: "content_type", Type: abi.TypeString, Doc: "the media type of the body in lower case, without parameters; empty without"},
		{Name: "patch_type", Type: abi.TypeString, Values: object.PatchTypes(), Doc: "what kind of patch a PATCH is; empty for other requests"},
		{Name: "kind", Type: abi.TypeString, Doc: "the kind that the body names: Deployment; empty without a body; unknown when that is not read, and for a JSON patch"},
		{Name: "object", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "every value of the body as pointer=value, without metadata.managedFields: /spec/replicas=3; of a patch those of the patch; unknown when it is not read, longer than body_limit, or protobuf"},
		{Name: "object_name", Type: abi.TypeString, Doc: "metadata.name of the body, empty when it has none; unknown as kind"},
		{Name: "object_namespace", Type: abi.TypeString, Doc: "metadata.namespace of the body, likewise"},
		{Name: "labels", Type: abi.TypeStrings, Doc: "metadata.labels of the body as name=value, likewise"},
		{Name: "replicas", Type: abi.TypeInt, Doc: "spec.replicas of the body; -1 when it has none; unknown when it is not read, or a JSON patch that does more than set it"},
		{Name: "operation", Type: abi.TypeString, Values: request.Operations(), Doc: "what a patch of a workload does, if nothing else: scale, restart, pause, resume, or rollback, which is to replace the pod template by whatever it says; unknown when it is not read"},
		{Name: "container", Type: abi.TypeString, Doc: "the parameter container, of exec, attach and logs"},
		{Name: "command", Type: abi.TypeStrings, Role: abi.RoleText, Doc: "of exec, the command and its arguments"},
		{Name: "stdin", Type: abi.TypeBool, Doc: "of exec and attach: the agent writes to the program's input"},
		{Name: "tty", Type: abi.TypeBool, Doc: "of exec and attach: the program gets a terminal"},
		{Name: "proxy_path", Type: abi.TypeString, Doc: "of a proxy, the path there, decoded; empty without"},
		{Name: "impersonate", Type: abi.TypeStrings, Doc: "whom the request says that it is: Impersonate-User as user=NAME, group=, uid=, extra-KEY=; X-Remote-User and its like as remote-user=; token= for one in Sec-WebSocket-Protocol; unknown when there are too many headers"},
		{Name: "upgrade", Type: abi.TypeString, Doc: "the protocol that the connection shall go on with, in lower case: websocket, spdy/3.1; empty without"},
		{Name: "authority", Type: abi.TypeString, Doc: "the host, with the port if that is written, in lower case"},
		{Name: "tls", Type: abi.TypeBool, Doc: "the agent speaks TLS with the gateway"},
		{Name: "gateway_credential", Type: abi.TypeBool, Doc: "the gateway puts a credential into the request"},
		{Name: "problem", Type: abi.TypeString, Doc: "why the request is opaque; empty when it is understood"},
	}}
}
