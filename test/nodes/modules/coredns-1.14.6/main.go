// CoreDNS with the plugins of kubeadm's Corefile and no others: those of the clouds take minutes to compile.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

func main() {
	// Their order among each other, as CoreDNS has it in plugin.cfg.
	dnsserver.Directives = []string{
		"reload", "errors", "health", "ready", "prometheus", "cache", "loadbalance", "loop", "kubernetes", "forward",
	}
	coremain.Run()
}
