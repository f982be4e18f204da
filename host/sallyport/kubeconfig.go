package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/nearest"
)

func newKubeconfig() *cobra.Command {
	var path, namespace string
	var asJSON bool
	c := &cobra.Command{
		Use:   "kubeconfig ENDPOINT...",
		Short: "Print a kubeconfig for agents, which holds no credential",
		Long: `Prints a kubeconfig with a context for each endpoint, of the endpoint's name: the server as agents reach it through the gateway, and the gateway's
certificate authority, which is made at first use. It holds no credential, since the gateway has that, so it is no secret (the token in it is a
word without which kubectl would ask for one). The first
endpoint's context is the current one. Run it as the gateway's user, on the gateway's machine.

` + exitCodes,
		Example: `  sallyport kubeconfig k8s-prod k8s-test > agent.kubeconfig
  sallyport run --peer claude.conf -- kubectl --kubeconfig agent.kubeconfig get pods`,
		Args: someArgs("ENDPOINT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			k, err := kubeconfigOf(cfg, args, namespace)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), k)
			}
			return k.write(cmd.OutOrStdout())
		},
	}
	c.Flags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().StringVar(&namespace, "namespace", "", "the contexts' `NAMESPACE` (default: the cluster's, which is \"default\")")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, which kubectl reads as well")
	return c
}

// kubeconfig is the part of client-go's Config (v1) that is written.
type kubeconfig struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Clusters   []kubeCluster  `json:"clusters"`
	Contexts   []kubeContext  `json:"contexts"`
	Users      []kubeUser     `json:"users"`
	Current    string         `json:"current-context"`
	Preference map[string]any `json:"preferences"`
}

type kubeCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		Server    string `json:"server"`
		Authority []byte `json:"certificate-authority-data,omitempty"`
	} `json:"cluster"`
}

type kubeContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster   string `json:"cluster"`
		User      string `json:"user"`
		Namespace string `json:"namespace,omitempty"`
	} `json:"context"`
}

type kubeUser struct {
	Name string `json:"name"`
	User struct {
		Token string `json:"token"`
	} `json:"user"`
}

// kubeToken stands where kubectl would ask for a user's name if there was nothing. It opens nothing: the gateway takes what agents say of
// themselves away.
const kubeToken = "held-by-the-gateway"

// kubeUserName is who has nothing: the gateway says who the agent is.
const kubeUserName = "gateway"

func kubeconfigOf(cfg *config.Config, names []string, namespace string) (*kubeconfig, error) {
	if namespace != "" && !dnsLabel(namespace) {
		return nil, usageError{fmt.Errorf("--namespace: %q is no name of a namespace", namespace)}
	}
	ca, err := gateway.CertificateAuthority(cfg)
	if err != nil {
		return nil, err
	}
	k := &kubeconfig{APIVersion: "v1", Kind: "Config", Current: names[0], Preference: map[string]any{}, Users: []kubeUser{{Name: kubeUserName}}}
	k.Users[0].User.Token = kubeToken
	for i, name := range names {
		e, err := kubeEndpoint(cfg, name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(names[:i], name) {
			return nil, usageError{fmt.Errorf("%s is there twice", name)}
		}
		cluster, context := kubeCluster{Name: name}, kubeContext{Name: name}
		cluster.Cluster.Server = "http://" + net.JoinHostPort(name, strconv.Itoa(int(e.Port)))
		if e.TLS != config.TLSDisable || e.AgentTLS != config.AgentTLSAuto { // else agents find it as the gateway does, such as behind kubectl proxy
			cluster.Cluster.Server = "https" + strings.TrimPrefix(cluster.Cluster.Server, "http")
			cluster.Cluster.Authority = ca.PEM()
		}
		context.Context.Cluster, context.Context.User, context.Context.Namespace = name, kubeUserName, namespace
		k.Clusters, k.Contexts = append(k.Clusters, cluster), append(k.Contexts, context)
	}
	return k, nil
}

// kubeEndpoint is an endpoint that agents can use with kubectl.
func kubeEndpoint(cfg *config.Config, name string) (*config.Endpoint, error) {
	var all []string
	for i := range cfg.Endpoints {
		e := &cfg.Endpoints[i]
		if e.Name.Value != name {
			if e.Plugin.Value == "kubernetes" {
				all = append(all, e.Name.Value)
			}
			continue
		}
		if e.Plugin.Value != "kubernetes" {
			return nil, fmt.Errorf("endpoint %s has the plugin %s, not kubernetes", name, e.Plugin.Value)
		}
		return e, nil
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no endpoint %s, nor any other with the plugin kubernetes", name)
	}
	return nil, fmt.Errorf("there is no endpoint %s%s", name, "; "+nearest.Hint(name, all))
}

func dnsLabel(s string) bool {
	ok := s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-'
	for _, c := range []byte(s) {
		ok = ok && (c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z')
	}
	return ok
}

// write writes YAML as kubectl does. Names of endpoints and namespaces need no quotes, but for those that are numbers or words of YAML.
func (k *kubeconfig) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Config\ncurrent-context: %q\nclusters:\n", k.Current)
	for _, c := range k.Clusters {
		fmt.Fprintf(&b, "- name: %q\n  cluster:\n    server: %s\n", c.Name, c.Cluster.Server)
		if len(c.Cluster.Authority) > 0 {
			fmt.Fprintf(&b, "    certificate-authority-data: %s\n", base64.StdEncoding.EncodeToString(c.Cluster.Authority))
		}
	}
	b.WriteString("contexts:\n")
	for _, c := range k.Contexts {
		fmt.Fprintf(&b, "- name: %q\n  context:\n    cluster: %q\n    user: %s\n", c.Name, c.Context.Cluster, kubeUserName)
		if c.Context.Namespace != "" {
			fmt.Fprintf(&b, "    namespace: %q\n", c.Context.Namespace)
		}
	}
	fmt.Fprintf(&b, "users:\n- name: %s\n  user:\n    token: %s\npreferences: {}\n", kubeUserName, kubeToken)
	_, err := io.WriteString(w, b.String())
	return err
}
