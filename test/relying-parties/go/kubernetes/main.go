// Asks the authenticator of Kubernetes' API server about tokens, one on each line of standard input, under the AuthenticationConfiguration
// that the only argument names. Each answer is a line of JSON: the user whom the API server would see, or why there is none.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/cel"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

// How long the authenticator may take to find the issuer's keys. It looks for them at once, and then every ten seconds.
const patience = 8 * time.Second

// What a line of output says.
type answer struct {
	Username string              `json:"username,omitempty"`
	UID      string              `json:"uid,omitempty"`
	Groups   []string            `json:"groups,omitempty"`
	Extra    map[string][]string `json:"extra,omitempty"`
	Error    string              `json:"error,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return errors.New("usage: kubernetes CONFIGURATION < TOKENS")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	configuration, err := load(os.Args[1])
	if err != nil {
		return err
	}
	authenticators, err := start(ctx, configuration)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := out.Encode(ask(ctx, authenticators, lines.Text())); err != nil {
			return err
		}
	}
	return lines.Err()
}

// As the API server reads the file of --authentication-config: every version that it knows, and no unknown member.
func load(path string) (*apiserver.AuthenticationConfiguration, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()
	decoded, err := runtime.Decode(decoder, data)
	if err != nil {
		return nil, err
	}
	configuration, ok := decoded.(*apiserver.AuthenticationConfiguration)
	if !ok {
		return nil, fmt.Errorf("%T is no AuthenticationConfiguration", decoded)
	}
	problems := validation.ValidateAuthenticationConfiguration(cel.NewDefaultCompiler(), configuration, nil)
	return configuration, problems.ToAggregate()
}

// Certificates for an issuer that no well-known authority vouches for.
type authority string

func (pem authority) CurrentCABundleContent() []byte { return []byte(pem) }

type authenticators []oidc.AuthenticatorTokenWithHealthCheck

// The authenticators of the configuration, as the API server makes them, when all of them have found their issuer's keys.
func start(ctx context.Context, configuration *apiserver.AuthenticationConfiguration) (authenticators, error) {
	var all authenticators
	for _, issuer := range configuration.JWT {
		options := oidc.Options{JWTAuthenticator: issuer, SupportedSigningAlgs: oidc.AllValidSigningAlgorithms()}
		if issuer.Issuer.CertificateAuthority != "" {
			options.CAContentProvider = authority(issuer.Issuer.CertificateAuthority)
		}
		one, err := oidc.New(ctx, options)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := all.health()
		if err == nil || time.Now().After(deadline) {
			return all, err
		}
	}
}

func (all authenticators) health() error {
	var problems []error
	for _, one := range all {
		problems = append(problems, one.HealthCheck())
	}
	return errors.Join(problems...)
}

// The first authenticator that knows the token decides, as in the API server's union of them.
func ask(ctx context.Context, all authenticators, token string) answer {
	for _, one := range all {
		response, ok, err := one.AuthenticateToken(ctx, token)
		if err != nil {
			return answer{Error: err.Error()}
		}
		if ok {
			return seen(response)
		}
	}
	return answer{Error: "no authenticator is for this token"}
}

func seen(response *authenticator.Response) answer {
	user := response.User
	return answer{Username: user.GetName(), UID: user.GetUID(), Groups: user.GetGroups(), Extra: user.GetExtra()}
}
